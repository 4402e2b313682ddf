#include "heddle/memory/free_ledger.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "heddle/sync/asymmetric_fence.hpp"
#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/process.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS {
namespace {

sync::Atomic<std::uint64_t> last_id{0};

// The calling thread's outbox of the ledger it used last; one load, without a guard.
struct CurrentOutbox {
  std::uint64_t ledger = 0;
  Outbox* outbox = nullptr;
};
struct CurrentOutboxTag;
CurrentOutbox& current_outbox() noexcept { return sync::ThreadLocal<CurrentOutbox, CurrentOutboxTag>::get(); }

struct ThreadEndedTag;
bool& thread_has_ended() noexcept { return sync::ThreadLocal<bool, ThreadEndedTag>::get(); }

// All outboxes of one thread. At its end they are flushed and leave their ledgers.
struct ThreadOutboxes {
  struct Entry {
    std::shared_ptr<FreeLedger> ledger;
    std::shared_ptr<Outbox> outbox;
  };
  std::vector<Entry> entries;

  ThreadOutboxes() noexcept = default;
  ThreadOutboxes(const ThreadOutboxes&) = delete;
  ThreadOutboxes& operator=(const ThreadOutboxes&) = delete;
  ~ThreadOutboxes() {
    thread_has_ended() = true;
    current_outbox() = {};
    if (sync::in_forked_child()) return;
    for (const Entry& entry : entries) entry.ledger->detach(*entry.outbox);
  }
};
struct ThreadOutboxesTag;

}  // namespace

FreeLedger::FreeLedger() : id_(last_id.fetch_add(1, sync::relaxed) + 1) {}

Outbox* FreeLedger::outbox() noexcept {
  if (current_outbox().ledger == id_) [[likely]]
    return current_outbox().outbox;
  if (thread_has_ended()) return nullptr;
  Outbox* outbox = nullptr;
  try {
    outbox = find_or_attach();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  current_outbox() = {id_, outbox};
  return outbox;
}

Outbox* FreeLedger::find_or_attach() {
  auto& entries = sync::ThreadLocal<ThreadOutboxes, ThreadOutboxesTag>::get().entries;
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.ledger.get() == this; });
  if (found != entries.end()) return found->outbox.get();
  std::erase_if(entries, [](const auto& entry) { return entry.ledger->closed(); });
  entries.reserve(entries.size() + 1);
  entries.push_back({shared_from_this(), attach()});
  return entries.back().outbox.get();
}

std::shared_ptr<Outbox> FreeLedger::attach() {
  sync::require_host_memory();
  auto outbox = std::make_shared<Outbox>();
  sync::MutexLock lock(mutex_);
  if (retired_.load(sync::relaxed)) outbox->set_retired();
  outboxes_.push_back(outbox);
  return outbox;
}

void FreeLedger::detach(Outbox& outbox) noexcept {
  sync::MutexLock lock(mutex_);
  const auto found =
      std::find_if(outboxes_.begin(), outboxes_.end(), [&](const auto& other) { return other.get() == &outbox; });
  if (found == outboxes_.end()) return;  // the memory is gone
  outbox.flush();
  const FreedCounts freed = outbox.freed();
  ended_.blocks += freed.blocks;
  ended_.requested += freed.requested;
  ended_.rounded += freed.rounded;
  outboxes_.erase(found);
}

void FreeLedger::count(std::size_t requested, std::size_t rounded) noexcept {
  sync::MutexLock lock(mutex_);
  ++ended_.blocks;
  ended_.requested += requested;
  ended_.rounded += rounded;
}

void FreeLedger::flush_own() noexcept {
  if (current_outbox().ledger == id_) current_outbox().outbox->flush();
}

void FreeLedger::flush_all() noexcept {
  sync::MutexLock lock(mutex_);
  if (outboxes_.empty()) return;
  for (const auto& outbox : outboxes_) outbox->announce();
  sync::asymmetric_fence_heavy();
  for (const auto& outbox : outboxes_) {
    outbox->flush_from_outside();
    outbox->withdraw();
  }
}

FreedCounts FreeLedger::freed_locked() const noexcept {
  FreedCounts sum = ended_;
  for (const auto& outbox : outboxes_) {
    const FreedCounts freed = outbox->freed();
    sum.blocks += freed.blocks;
    sum.requested += freed.requested;
    sum.rounded += freed.rounded;
  }
  return sum;
}

FreedCounts FreeLedger::freed() const noexcept {
  sync::MutexLock lock(mutex_);
  return freed_locked();
}

std::shared_ptr<void> FreeLedger::settle_locked() noexcept {
  return freed_locked().blocks == expected_ ? std::exchange(owner_, nullptr) : nullptr;
}

std::shared_ptr<void> FreeLedger::retire(std::uint64_t allocated, std::shared_ptr<void> owner) noexcept {
  sync::MutexLock lock(mutex_);
  expected_ = allocated;
  owner_ = std::move(owner);
  retired_.store(true, sync::relaxed);
  for (const auto& outbox : outboxes_) outbox->set_retired();
  // Either a thread that frees sees that its outbox is retired, or its count is seen here. Counterpart: settle().
  sync::asymmetric_fence_heavy();
  return settle_locked();
}

std::shared_ptr<void> FreeLedger::settle(const Outbox* outbox) noexcept {
  if (outbox != nullptr) {
    sync::asymmetric_fence_light();  // orders the count before the load; counterpart: retire()
    if (!outbox->retired()) [[likely]]
      return nullptr;
  }
  sync::MutexLock lock(mutex_);
  return retired_.load(sync::relaxed) ? settle_locked() : nullptr;
}

void FreeLedger::close() noexcept {
  closed_.store(true, sync::release);
  std::vector<std::shared_ptr<Outbox>> outboxes;
  sync::MutexLock lock(mutex_);
  for (const auto& outbox : outboxes_) outbox->announce();  // never withdrawn
  sync::asymmetric_fence_heavy();
  for (const auto& outbox : outboxes_) {
    while (!outbox->flush_from_outside()) sync::yield();
  }
  outboxes.swap(outboxes_);
}

}  // namespace HEDDLE_NS
