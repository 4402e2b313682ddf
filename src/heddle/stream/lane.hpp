// Lane: the recording side of one stream. Commands go in, lists go to the device's queue, tickets come back.
//
// Thread safety: members marked [holder] are called only by the thread that is inside the lease's gate (or has claimed
// it); committed(), completed(), holder_thread() by any thread; wait() and on_complete(ticket) by any thread without
// locks.
// Invariants: 1. issued >= committed and issued >= completed; committed grows once the device has the list. 2. Lists
// reach the queue in the order of their tickets. 3. A list is committed by itself only for its count and bytes, never
// for the time, so a loop commits the same lists every round. 4. What a command keeps and the notes of its uses go to
// the list that holds it: record() does all of it, and nothing that may close the list comes after its first note.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "heddle/base/check.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/limits.hpp"
#include "heddle/stream/handler_queue.hpp"
#include "heddle/stream/handler_thread.hpp"
#include "heddle/stream/operand_memory.hpp"
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

  // [holder] Records one command in one step: orders it after the last writes of what it reads, notes its uses, appends
  // it, and keeps what it needs. `memory`: what each address of the arguments lies in, in the order of their fields in
  // device/arg_layouts.hpp, which say whether it is read or written. What is only written is a block of this lane, or
  // one that the command is ordered after. Returns the command's ticket. Throws NotCommitted where a writing stream has
  // recorded but not committed, and the writer's error where that list failed and the failure was collected since
  // (until then the stream skips, and synchronize() throws it); nothing is recorded or noted then. Commits by itself
  // when the list is full. Where that would wait and must not, the list grows instead: the command is recorded already,
  // so nothing may say that it was not.
  template <class Args, class... Memory>
    requires(sizeof...(Memory) == kAddresses<Args> && (std::is_same_v<Memory, OperandMemory> && ...))
  Ticket record(const Command<Args>& command, const Memory&... memory) {
    note<Args>(command, {memory...});
    list_.append(command);
    return end_command();
  }
  template <class Args, class... Memory>
    requires(sizeof...(Memory) == kAddresses<Args> && (std::is_same_v<Memory, OperandMemory> && ...))
  Ticket record(const Command<Args>& command, Kept kept, const Memory&... memory) {
    note<Args>(command, {memory...});
    list_.append(command, std::move(kept));
    return end_command();
  }
  // [holder] The same for commands whose operands are no fields of their arguments.
  template <class Args>
  Ticket record(const Command<Args>& command, Kept kept, std::span<const OperandMemory> reads,
                std::span<const OperandMemory> writes) {
    check_reach(command, reads, writes);
    for (const OperandMemory& memory : reads) order_after(memory);
    for (const OperandMemory& memory : reads) note_use(memory);
    for (const OperandMemory& memory : writes) note_write(memory);
    list_.append(command, std::move(kept));
    return end_command();
  }
  // [holder] Records a command that uses no memory of any stream's.
  template <class Args>
  Ticket append(KernelId kernel, const Args& args) {
    list_.append(kernel, args);
    return end_command();
  }
  // [holder] Records the copy of `bytes` to `to`. The bytes are copied before this returns.
  Ticket record_upload(void* to, std::span<const std::byte> bytes, const OperandMemory& memory);
  // [holder] The same without a copy on the host: the list keeps `from`, which must not change meanwhile.
  Ticket record_upload(void* to, std::shared_ptr<const std::byte> from, std::size_t bytes, const OperandMemory& memory);
  // [holder] Records `kernel`, which draws `count` values from `generator` to `out`; moves the state forward when the
  // list closes. `state` is the generator's memory, `keep` owns it: held until then (null: it outlives the lane).
  Ticket record_draw(KernelId kernel, GeneratorState* generator, void* out, std::uint64_t count,
                     const OperandMemory& state, const OperandMemory& out_memory, std::shared_ptr<const void> keep);
  // [holder] Makes the next commands run after the last write of `memory`: for operations of several commands, which
  // find out first whether any of them would be refused. Throws as record() does.
  void order_after(const OperandMemory& memory) {
    if (!memory) return;
    const StreamUse write = memory.residency().last_write();
    if (write.lane != this || queue_->failures().ever_failed()) [[unlikely]]
      order_after_write(write);
  }

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
  // What comes before a command is appended: order, then notes. Nothing is noted where ordering throws, and the uses of
  // a command that then finds no host memory have a ticket that was never issued, which is no use.
  template <class Args>
  void note(const Command<Args>& command, const std::array<OperandMemory, kAddresses<Args>>& memory) {
    check_reach(command, memory);
    [&]<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
      constexpr auto& kFields = kAddressFields<Args>;
      ((kFields[kIndex].access != Access::kWrites ? order_after(memory[kIndex]) : void()), ...);
      ((kFields[kIndex].access == Access::kReads ? note_use(memory[kIndex]) : note_write(memory[kIndex])), ...);
    }(std::make_index_sequence<kAddresses<Args>>());
  }
  // Keeps the memory from being reused before the next command is done.
  void note_use(const OperandMemory& memory) {
    if (memory && memory.residency().home() != this) [[unlikely]]
      memory.residency().note_use(this, next_ticket());
  }
  void note_write(const OperandMemory& memory) {
    if (!memory) return;
    note_use(memory);
    memory.residency().note_write(this, next_ticket());
  }
  // Aborts where an address of the command reaches out of its memory.
  template <class Args>
  static void check_reach([[maybe_unused]] const Command<Args>& command,
                          [[maybe_unused]] const std::array<OperandMemory, kAddresses<Args>>& memory) noexcept {
#if HEDDLE_DEBUG_CHECKS
    for (std::size_t i = 0; i < memory.size(); ++i) {
      const Operand operand = operand_of(kAddressFields<Args>[i], command.header, command.args);
      HEDDLE_CHECK(!memory[i] || !operand.in_use() || memory[i].contains(operand),
                   "a command reaches out of the memory of its operand");
    }
#endif
  }
  template <class Args>
  static void check_reach([[maybe_unused]] const Command<Args>& command,
                          [[maybe_unused]] std::span<const OperandMemory> reads,
                          [[maybe_unused]] std::span<const OperandMemory> writes) noexcept {
#if HEDDLE_DEBUG_CHECKS
    for_each_operand(command.header, command.args, [&](const Operand& operand) {
      const auto holds = [&](const OperandMemory& memory) { return memory && memory.contains(operand); };
      HEDDLE_CHECK(std::ranges::any_of(reads, holds) || std::ranges::any_of(writes, holds),
                   "a command reaches out of the memory of its operands");
    });
#endif
  }
  void order_after_write(StreamUse write);
  void order_after(Lane& other, Ticket ticket);
  void count_command() noexcept { issued_.store(issued_.load(sync::relaxed) + 1, sync::relaxed); }
  Ticket end_command() {
    count_command();
    const Ticket ticket = issued();
    if (list_.commands() >= limits_.list_commands_max || list_.bytes() >= limits_.list_bytes_max) [[unlikely]]
      commit_full_list();
    return ticket;
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
};

}  // namespace HEDDLE_NS
