// HandlerQueue: the handlers of one stream that wait for their tickets, in the order of the stream.
//
// Thread safety: all members, from any thread. Locks: mutex_ (kHandlerQueue).
// Invariants: 1. Entries are in the order of their tickets, and of their registration where those are equal.
// 2. While entries wait, the device queue is watched, so the backend announces every advance. 3. add() publishes the
// first waiting ticket before it looks at completed(), and the backend publishes completed() before it looks for
// watchers (both sequentially consistent): one of the two schedules the queue. 4. registered = finished + pending, of
// users' handlers; the library's own entries are counted apart. 5. An entry takes room from add() until its handler has
// ended on the handler thread or, with an executor, until take(): so room depends on the device and the handler thread
// alone, and no thread that waits for room in an executor's task waits for that task.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "heddle/completion.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class HandlerQueue {
 public:
  struct Entry {
    Ticket ticket;
    CompletionHandler handler;
    HandlerOptions options;
    std::shared_ptr<void> keep;   // what must outlive a task that an executor keeps; null without an executor
    bool is_library_own = false;  // nobody's handler: waited for at the end, but in no statistics and no limit
  };
  // Of users' handlers.
  struct Counts {
    std::uint64_t registered = 0;
    std::uint64_t run = 0;
    std::uint64_t abandoned = 0;
    std::uint64_t pending() const noexcept { return registered - run - abandoned; }
  };

  explicit HandlerQueue(Queue& device_queue) noexcept : device_queue_(device_queue) {}
  ~HandlerQueue();
  HandlerQueue(const HandlerQueue&) = delete;
  HandlerQueue& operator=(const HandlerQueue&) = delete;

  Queue& device_queue() noexcept { return device_queue_; }

  // How an entry that was taken out has ended.
  enum class Outcome : unsigned char { kNone, kRun, kAbandoned, kLibraryOwn };

  // Whether fewer than `most` of users' entries take room.
  bool has_room(std::size_t most) const;
  // Waits until it is so, or `stop` is set and wake() was called; false when `wait_most` passed first. REQUIRES: no
  // lock held. Throws WouldBlock where waiting is forbidden and there is no room.
  [[nodiscard]] bool wait_for_room(std::size_t most, const sync::Atomic<bool>& stop, sync::Duration wait_most);
  // For error texts: the number of entries that take room, and what the first of them waits for.
  std::string crowd() const;
  void wake() noexcept;
  // Counts the entry, then puts it into the queue. False (nothing changed) once the queue is closed.
  bool add(Entry&& entry);
  // What is in the queue stays; nothing comes any more.
  void close();
  // Notes how the entry that the caller took before has ended, unless it has an executor; then takes the first entry
  // out if its ticket is at most `limit`. Threads that wait for room are woken when what is taken goes to an executor
  // or nothing is taken, or by note_finished(): a caller that takes many would otherwise wake one of them for each.
  bool take(Ticket limit, Entry* out, Outcome previous = Outcome::kNone);
  void note_finished(Outcome outcome);
  // The same of an entry with an executor, wherever it ended.
  void note_finished_elsewhere(Outcome outcome);
  Counts counts() const;
  // Whether anything is pending, the library's own entries too.
  bool idle() const;
  // True when the first waiting ticket is at most `completed`. One load.
  bool ripe(Ticket completed) const noexcept { return front_.load(sync::seq_cst) <= completed.value; }

  // Whether an entry waits for its ticket. One load.
  bool waiting() const noexcept { return front_.load(sync::relaxed) != kNone; }

  // True for the one caller who now has to put the queue among the ready ones.
  bool claim_schedule() noexcept { return !scheduled_.exchange(true, sync::seq_cst); }
  // The queue left the ready ones and is about to be looked at.
  void end_schedule() noexcept {
    late_.store(0, sync::relaxed);
    scheduled_.store(false, sync::seq_cst);
  }
  // How often progress has found the queue among the ready ones since. A hint: calls at once may count as one.
  unsigned note_late() noexcept {
    const unsigned late = late_.load(sync::relaxed) + 1;
    late_.store(late, sync::relaxed);
    return late;
  }

 private:
  friend class ReadyQueue;  // next_ready_
  // So many entries that are gone keep their places, or as many as still wait.
  static constexpr std::size_t kMostSpent = 64;
  static constexpr std::uint64_t kNone = std::numeric_limits<std::uint64_t>::max();

  void count(Outcome outcome) HEDDLE_REQUIRES(mutex_);
  // Counts an entry that ended on the handler thread.
  void count_here(Outcome outcome) HEDDLE_REQUIRES(mutex_);
  void wake_for_room() HEDDLE_REQUIRES(mutex_);
  bool empty() const HEDDLE_REQUIRES(mutex_) { return head_ == entries_.size(); }
  void drop_first() HEDDLE_REQUIRES(mutex_);

  Queue& device_queue_;
  HandlerQueue* next_ready_ = nullptr;
  sync::Atomic<bool> scheduled_{false};
  sync::Atomic<unsigned> late_{0};
  sync::Atomic<std::uint64_t> front_{kNone};  // ticket of the first entry
  mutable sync::Mutex mutex_{Rank::kHandlerQueue};
  sync::ConditionVariable room_;
  int waiting_for_room_ HEDDLE_GUARDED_BY(mutex_) = 0;
  std::vector<Entry> entries_ HEDDLE_GUARDED_BY(mutex_);  // waiting from head_ on; its memory is used again
  std::size_t head_ HEDDLE_GUARDED_BY(mutex_) = 0;
  Counts counts_ HEDDLE_GUARDED_BY(mutex_);
  std::uint64_t taking_room_ HEDDLE_GUARDED_BY(mutex_) = 0;  // of users' entries: invariant 5
  std::uint64_t own_pending_ HEDDLE_GUARDED_BY(mutex_) = 0;  // of the library's own
  bool closed_ HEDDLE_GUARDED_BY(mutex_) = false;
};

}  // namespace HEDDLE_NS
