#include "heddle/stream/residency.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>

#include "heddle/stream/lane.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

// Some entries of one block. Invariants: an entry that has a lane keeps it; `next` is set once.
class StreamUses {
 public:
  struct Entry {
    sync::Atomic<Lane*> lane{nullptr};
    sync::Atomic<std::uint64_t> ticket{0};  // written by the lane's holder only
  };
  std::array<Entry, 7> entries;
  sync::Atomic<StreamUses*> next{nullptr};
  bool suspended = false;  // of the first: uses are not noted. Written while one thread uses the block
};

namespace {

// The entry of `lane`: its own, or a free one that it takes. Null: all are taken by others.
StreamUses::Entry* entry_of(StreamUses& uses, Lane* lane) noexcept {
  for (StreamUses::Entry& entry : uses.entries) {
    // Relaxed: lane pointers are only compared here, and settle() runs after the last reference (release/acquire).
    Lane* taken = entry.lane.load(sync::relaxed);
    if (taken == nullptr && entry.lane.compare_exchange_strong(taken, lane, sync::relaxed)) return &entry;
    if (taken == lane) return &entry;
  }
  return nullptr;
}

// What `link` points to; created where there is nothing.
StreamUses& follow(sync::Atomic<StreamUses*>& link) {
  StreamUses* uses = link.load(sync::acquire);  // counterpart: the exchange below, which publishes the fresh entries
  if (uses != nullptr) return *uses;
  auto fresh = std::make_unique<StreamUses>();
  if (!link.compare_exchange_strong(uses, fresh.get(), sync::acq_rel, sync::acquire)) return *uses;
  return *fresh.release();
}

void destroy(StreamUses* uses) noexcept {
  while (uses != nullptr) {
    StreamUses* const next = uses->next.load(sync::relaxed);
    delete uses;
    uses = next;
  }
}

// The entry's use, where its stream has not finished it; else none. A ticket that was never issued, as its command
// could not be recorded, is no use: whoever asks has seen all that was recorded with the block.
StreamUse unfinished(const StreamUses::Entry& entry) noexcept {
  Lane* const lane = entry.lane.load(sync::relaxed);
  if (lane == nullptr) return {nullptr, Ticket{}};
  const Ticket ticket = std::min(Ticket{entry.ticket.load(sync::relaxed)}, lane->issued());
  return lane->completed() < ticket ? StreamUse{lane, ticket} : StreamUse{nullptr, Ticket{}};
}

}  // namespace

Residency::~Residency() { destroy(uses_.load(sync::relaxed)); }

void Residency::stop_noting(std::size_t streams) {
  constexpr std::size_t kEach = std::tuple_size_v<decltype(StreamUses::entries)>;
  sync::Atomic<StreamUses*> fresh{nullptr};
  try {
    sync::Atomic<StreamUses*>* link = &fresh;
    for (std::size_t room = 0; room == 0 || room < streams; room += kEach) link = &follow(*link).next;
  } catch (...) {
    destroy(fresh.load(sync::relaxed));
    throw;
  }
  StreamUses* const uses = fresh.load(sync::relaxed);
  uses->suspended = true;
  destroy(uses_.exchange(uses, sync::relaxed));
  writer_.store(nullptr, sync::relaxed);
  last_write_.store(0, sync::relaxed);
}

void Residency::start_noting() noexcept { uses_.load(sync::relaxed)->suspended = false; }

void Residency::note_use(Lane* lane, Ticket ticket) {
  if (HEDDLE_PLANT(uses_unnoted)) return;
  StreamUses* uses = &follow(uses_);
  if (uses->suspended) return;
  while (true) {
    if (StreamUses::Entry* entry = entry_of(*uses, lane)) {
      entry->ticket.store(std::max(entry->ticket.load(sync::relaxed), ticket.value), sync::relaxed);
      return;
    }
    uses = &follow(uses->next);
  }
}

StreamUse Residency::first_use() const noexcept {
  for (const StreamUses* uses = uses_.load(sync::relaxed); uses != nullptr; uses = uses->next.load(sync::relaxed)) {
    for (const StreamUses::Entry& entry : uses->entries) {
      if (const StreamUse use = unfinished(entry); use.lane != nullptr) return use;
    }
  }
  return {nullptr, Ticket{}};
}

bool Residency::settle() noexcept {
  bool in_use = first_use().lane != nullptr;
  if (HEDDLE_PLANT(uses_settle_unfinished)) in_use = false;
  if (in_use) return false;
  destroy(uses_.exchange(nullptr, sync::relaxed));
  return true;
}

}  // namespace HEDDLE_NS
