// Lane: the recording side of one stream. Commands go in, lists go to the device's queue, tickets come back.
//
// Thread safety: members marked [holder] are called only by the thread that is inside the lease's gate (or has claimed
// it); committed(), completed(), holder_thread() by any thread; wait() and on_complete(ticket) by any thread without
// locks.
// Invariants: 1. issued >= committed and issued >= completed; committed grows once the device has the list. 2. Lists
// reach the queue in the order of their tickets. 3. A list is committed by itself only for its count and bytes, never
// for the time, so a loop commits the same lists every round. 4. Host memory of a command and notes of its uses go to
// the list that holds it: the memory is handed over with it, and nothing that may close the list comes between a note
// (note_use, write) and its command. Where HEDDLE_DEBUG_CHECKS is 1, such an order aborts whether or not a list closed.
#pragma once

#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "heddle/base/check.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/limits.hpp"
#include "heddle/stream/handler_queue.hpp"
#include "heddle/stream/handler_thread.hpp"
#include "heddle/stream/poller.hpp"
#include "heddle/stream/residency.hpp"
#include "heddle/stream/ticket_parking.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {

// Whether a waiting thread may run work itself. kIfNeeded: only where no other thread would (DeviceInfo::has_workers),
// for waits that must end at their deadline: a list that this thread began could outlast it.
enum class Helping : unsigned char { kYes, kIfNeeded };

// Called on the committing thread, after each list that it handed over; the caller holds no lock. Must not wait.
class CommitListener {
 public:
  virtual void on_commit() noexcept = 0;

 protected:
  ~CommitListener() = default;
};

// What the lanes of one pool share: who runs their handlers, and who looks for progress where the backend is silent.
struct LaneServices {
  HandlerThread* handlers = nullptr;
  Poller* poller = nullptr;
  CommitListener* commits = nullptr;
};

class Lane {
 public:
  Lane(StreamId id, Device& device, std::unique_ptr<Queue> queue, const Limits& limits, WaitPolicy policy,
       LaneServices services = {});
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  StreamId id() const noexcept { return id_; }
  Queue& queue() noexcept { return *queue_; }
  HandlerQueue& completions() noexcept { return completions_; }
  // The thread that holds the lease, for messages (the kernel's id); 0: none.
  std::uint64_t holder_thread() const noexcept { return holder_thread_.load(sync::relaxed); }
  void set_holder_thread(std::uint64_t thread) noexcept { holder_thread_.store(thread, sync::relaxed); }

  // [holder] The ticket that the next recorded command will have.
  Ticket next_ticket() const noexcept { return Ticket{issued().value + 1}; }
  // Any thread: at least every ticket whose command happened before the call.
  Ticket issued() const noexcept { return Ticket{issued_.load(sync::relaxed)}; }
  Ticket committed() const noexcept { return Ticket{committed_.load(sync::acquire)}; }
  Ticket completed() const noexcept { return queue_->completed(); }

  // [holder] Records one command; commits by itself when the list is full. Where that would wait and must not, the list
  // grows instead: the command is recorded already, so nothing may say that it was not. Returns the command's ticket.
  template <class Args>
  Ticket append(KernelId kernel, const Args& args, Dtype dtype = Dtype::kFloat32) {
    return append(kernel, args, dtype, dtype);
  }
  template <class Args>
  Ticket append(KernelId kernel, const Args& args, Dtype dtype, Dtype source) {
    list_.append(kernel, args, dtype, source);
    return end_command();
  }
  // [holder] The same for a command that reads or writes host memory.
  template <class Args>
  Ticket append(KernelId kernel, const Args& args, Kept kept) {
    list_.append(kernel, args, std::move(kept));
    return end_command();
  }
  // [holder] Records the copy of `bytes` to `to`, from memory of the list's own: of the device's kind where it has one.
  Ticket upload(void* to, std::span<const std::byte> bytes);
  // [holder] Records `kernel`, which draws `count` values from `generator` to `out`; moves the state forward when the
  // list closes. `keep` owns the state's memory; held until then (null: it outlives the lane).
  Ticket append_draw(KernelId kernel, GeneratorState* generator, void* out, std::uint64_t count,
                     std::shared_ptr<const void> keep);

  // [holder] An operand of the next command: order_behind(), then note_use(). A command of several operands orders
  // behind all of them before it notes any: a refusal then leaves no use behind, and ordering may commit.
  void read(Residency& residency) {
    order_behind(residency);
    note_use(residency);
  }
  // [holder] Makes the next command run after the last write of `residency`. Throws NotCommitted when the writing
  // stream has recorded but not committed it, and the writer's error when that list failed and the failure was
  // collected since (until then the stream skips, and synchronize() throws it).
  void order_behind(Residency& residency) {
    require_nothing_noted();
    const StreamUse write = residency.last_write();
    if (write.lane != this || queue_->failures().ever_failed()) [[unlikely]]
      order_behind_write(write);
  }
  // [holder] Keeps the memory of `residency` from being reused before the next command is done.
  void note_use(Residency& residency) {
    if (residency.home() != this) [[unlikely]]
      residency.note_use(this, next_ticket());
    set_noted(true);
  }
  // [holder] The next command writes `residency`. REQUIRES: a block of this lane, or one that it is ordered after.
  void write(Residency& residency) {
    note_use(residency);
    residency.note_write(this, next_ticket());
  }
  // [holder] Aborts where a use was noted whose command is still to come (invariant 4). Called by whatever may close
  // the list: ordering, committing, allocating.
  void require_nothing_noted() const noexcept {
#if HEDDLE_DEBUG_CHECKS
    HEDDLE_CHECK(!noted_, "the list may close between the note of a use and its command");
#endif
  }
  // [holder] The operation that noted a use has ended without its command, by an exception.
  void forget_noted() noexcept { set_noted(false); }

  // [holder] Hands the current list to the device. Waits while Limits::committed_lists_max lists are unfinished; throws
  // WouldBlock where waiting is forbidden.
  void commit(SubmitHint hint = SubmitHint::kAsynchronous);
  // [holder] As commit(), but one list over the bound rather than waiting: for leases that end.
  void commit_at_end();
  // [holder] As commit(), but returns false (nothing changed) where commit() would wait.
  bool try_commit();
  // [holder] commit, wait for everything, throw the first error since the last synchronize, and clear it.
  void synchronize();
  // [holder] Before a point of this stream is taken (an event, a handler): makes its ticket a later one than those of a
  // failure that is over, which would give the point an error that its holder never saw or has collected.
  void begin_point();
  // [holder] The next commands run after `ticket` of `other`, and inherit its error. Throws NotCommitted.
  void wait_for(Lane& other, Ticket ticket);
  // [holder] The next commands run after `ticket` of `other`, which is committed, and inherit nothing; so does issued()
  // from now on, so a wait for it is a wait for both. Commits. Throws what commit() throws.
  void run_after(Lane& other, Ticket ticket);
  // [holder] Commits, then runs `handler` once everything recorded so far is done (stream/completion.hpp). Waits while
  // Limits::handlers_max of this lane's handlers are pending, Limits::handler_wait_max at most. `keep`: owns this lane;
  // needed where the options name an executor. Throws InvalidArgument for an empty handler, Timeout, WouldBlock where
  // waiting is forbidden, Closed.
  void on_complete(CompletionHandler handler, HandlerOptions options, std::shared_ptr<void> keep);
  // [holder] The same, but returns false (nothing changed, nothing committed) where on_complete() would wait.
  bool try_on_complete(CompletionHandler handler, HandlerOptions options, std::shared_ptr<void> keep);
  // Any thread: the library's own, for a ticket of this lane; in no statistics. False: the runtime has ended, and the
  // handler was not taken.
  [[nodiscard]] bool on_complete(Ticket ticket, CompletionHandler handler);
  // [holder] True when nothing is recorded, committed or running.
  bool idle() const noexcept { return nothing_to_commit() && completed() == issued(); }
  // [holder] True when another thread may get the stream: idle, and no error waits for its holder's synchronize().
  bool transferable() const noexcept { return idle() && !queue_->failures().failing(); }
  // Ends a failure that no thread will collect. REQUIRES: idle, and no holder.
  void forget_failure();

  // Waits until `ticket` is complete; false when the deadline passed. Runs work of this stream on the calling thread
  // where the device and `helping` allow. Throws WouldBlock where waiting is forbidden, and Closed when the runtime
  // gave the lane's unfinished work up. REQUIRES: ticket is committed; no lock held.
  bool wait(Ticket ticket, sync::Deadline deadline, Helping helping = Helping::kYes);
  // At the end of a shutdown that ran out of time: ends all waits.
  void abandon() noexcept;
  void on_progress() noexcept {
    parking_.wake();
    if (services_.handlers != nullptr) services_.handlers->on_progress(completions_);
  }

 private:
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  void order_behind_write(StreamUse write);
  void order_after(Lane& other, Ticket ticket);
  void count_command() noexcept { issued_.store(issued_.load(sync::relaxed) + 1, sync::relaxed); }
  Ticket end_command() {
    set_noted(false);
    count_command();
    const Ticket ticket = issued();
    if (list_.commands() >= limits_.list_commands_max || list_.bytes() >= limits_.list_bytes_max) [[unlikely]]
      commit_full_list();
    return ticket;
  }
  void set_noted([[maybe_unused]] bool noted) noexcept {
#if HEDDLE_DEBUG_CHECKS
    noted_ = noted;
#endif
  }
  // The last thing recorded is a wait, which no ticket follows yet.
  bool ends_with_wait() const noexcept { return waited_at_ == issued().value; }
  bool nothing_to_commit() const noexcept { return list_.empty() && !ends_with_wait(); }
  // Nothing was recorded since a failure that is over.
  bool at_old_failure() const noexcept { return list_.empty() && forgotten_at_ == issued().value; }
  // Puts a command that does nothing after such a wait. True when there is a list to commit.
  bool finish_list();
  void close_list();
  bool has_room();
  void commit_full_list();
  void submit_list(SubmitHint hint);
  void wait_for_handler_room();
  void register_handler(CompletionHandler handler, HandlerOptions options, std::shared_ptr<void> keep);
  // False: the runtime has ended, and the handler was not taken.
  bool add_handler(HandlerQueue::Entry&& entry);

  const StreamId id_;
  Device& device_;
  // What on_progress() uses outlives the queue, whose end waits for a backend thread that is still inside.
  const LaneServices services_;
  TicketParking parking_;
  HandlerQueue completions_;
  const std::unique_ptr<Queue> queue_;
  const Limits limits_;
  const WaitPolicy policy_;
  sync::Atomic<std::uint64_t> holder_thread_{0};
  sync::Atomic<bool> abandoned_{false};

  CommandList list_;
  sync::Atomic<std::uint64_t> issued_{0};  // written by the holder only
  sync::Atomic<std::uint64_t> committed_{0};
  std::deque<std::uint64_t> closing_;  // tickets of committed lists that may be unfinished, oldest first
  struct Draw {
    GeneratorState* generator;
    std::uint64_t blocks;
    std::shared_ptr<const void> keep;
  };
  std::vector<Draw> draws_;              // generators used by the current list
  std::uint64_t waited_at_ = kNever;     // issued() at the last wait
  std::uint64_t forgotten_at_ = kNever;  // issued() at the end of the last failure
  std::vector<std::uint64_t> ordered_;   // by stream id: the latest ticket this stream already waits for
#if HEDDLE_DEBUG_CHECKS
  bool noted_ = false;  // a use, of a command that is still to come
#endif
};

}  // namespace HEDDLE_NS
