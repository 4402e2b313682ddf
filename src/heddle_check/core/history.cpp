#include "heddle_check/core/history.hpp"

#include <algorithm>

namespace heddle_check {

void History::begin(std::uint64_t initial) noexcept {
  stores_[0] = Store{};
  stores_[0].bits = initial;
  seen_.fill(0);
  count_ = 1;
  sequential_ = 0;
}

Store& History::add(ThreadId thread, bool sequential) noexcept {
  const std::uint32_t number = count_++;
  if (sequential) sequential_ = number;
  seen_[thread] = number;
  Store& store = at(number);
  store.thread = thread;
  return store;
}

std::uint32_t History::readable(ThreadId thread, const VectorClock& view, bool sequential) const noexcept {
  const std::uint32_t newest = count_ - 1;
  std::uint32_t floor = std::max(seen_[thread], count_ > kLength ? count_ - kLength : 0);
  if (sequential) floor = std::max(floor, sequential_);
  for (std::uint32_t number = newest; number > floor; --number) {
    const Store& store = at(number);
    if (store.thread != kNoThread && store.time <= view[store.thread]) floor = number;
  }
  return newest - floor + 1;
}

const Store& History::read(ThreadId thread, std::uint32_t back) noexcept {
  const std::uint32_t number = count_ - 1 - back;
  seen_[thread] = std::max(seen_[thread], number);
  return at(number);
}

std::uint32_t Histories::add(std::uint64_t initial) {
  if (used_ == pool_.size()) pool_.push_back(std::make_unique<History>());
  pool_[used_]->begin(initial);
  return ++used_;
}

}  // namespace heddle_check
