#include "heddle_check/core/store_buffers.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace heddle_check {

void StoreBuffers::begin(std::uint32_t capacity) {
  if (capacity_ != 0) {
    for (std::vector<PendingStore>& buffer : buffers_) buffer.clear();
  }
  capacity_ = capacity;
  next_number_ = 0;
  filled_ = all_flushers_ = waiting_ = 0;
  flushers_.fill(kNoThread);
}

const PendingStore* StoreBuffers::newest(ThreadId owner, ObjectId object) const noexcept {
  if (empty(owner)) return nullptr;
  const std::vector<PendingStore>& buffer = buffers_[owner];
  const auto at =
      std::find_if(buffer.rbegin(), buffer.rend(), [&](const PendingStore& s) { return s.object == object; });
  return at == buffer.rend() ? nullptr : &*at;
}

void StoreBuffers::add(ThreadId owner, PendingStore store) {
  store.number = next_number_++;
  buffers_[owner].push_back(std::move(store));
  filled_ |= bit(owner);
}

PendingStore StoreBuffers::take(ThreadId owner) {
  std::vector<PendingStore>& buffer = buffers_[owner];
  PendingStore store = std::move(buffer.front());
  buffer.erase(buffer.begin());
  if (buffer.empty()) filled_ &= ~bit(owner);
  return store;
}

bool StoreBuffers::forget(ThreadId owner, ObjectId object) noexcept {
  bool others = false;
  for (ThreadMask rest = filled_; rest != 0; rest &= rest - 1) {
    const auto thread = static_cast<ThreadId>(std::countr_zero(rest));
    for (PendingStore& store : buffers_[thread]) {
      if (store.object != object) continue;
      store.target = nullptr;
      others |= thread != owner;
    }
  }
  return others;
}

void StoreBuffers::set_flusher(ThreadId owner, ThreadId flusher) noexcept {
  flushers_[owner] = flusher;
  owners_[flusher] = owner;
  all_flushers_ |= bit(flusher);
}

bool StoreBuffers::pending(const Wait& wait) const noexcept {
  for (ThreadMask rest = wait.of & filled_; rest != 0; rest &= rest - 1) {
    if (oldest(static_cast<ThreadId>(std::countr_zero(rest))).number < wait.before) return true;
  }
  return false;
}

bool StoreBuffers::wait(ThreadId thread, ThreadMask of, std::uint64_t before) noexcept {
  waits_[thread] = {of, before};
  if (!pending(waits_[thread])) return false;
  waiting_ |= bit(thread);
  return true;
}

ThreadMask StoreBuffers::end_waits() noexcept {
  ThreadMask ended = 0;
  for (ThreadMask rest = waiting_; rest != 0; rest &= rest - 1) {
    const auto thread = static_cast<ThreadId>(std::countr_zero(rest));
    if (!pending(waits_[thread])) ended |= bit(thread);
  }
  waiting_ &= ~ended;
  return ended;
}

}  // namespace heddle_check
