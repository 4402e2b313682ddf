#include "heddle/stream/lane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

void require_callable(const CompletionHandler& handler) {
  if (!handler) throw InvalidArgument("on_complete: the handler is empty; pass something that can be called");
}

}  // namespace

Lane::Lane(StreamId id, Device& device, std::unique_ptr<Queue> queue, const Limits& limits, WaitPolicy policy,
           LaneServices services)
    : id_(id),
      device_(device),
      services_(services),
      completions_(*queue),
      queue_(std::move(queue)),
      limits_(limits),
      policy_(policy) {
  queue_->set_owner(this);
  parking_.set_poller(services_.poller);
  if (services_.poller != nullptr) services_.poller->add(*queue_);
}

Lane::~Lane() {
  if (services_.poller != nullptr) services_.poller->remove(*queue_);
}

void Lane::order_after_write(StreamUse write) {
  if (write.lane == nullptr || write.ticket.value == 0) return;
  write.lane->queue().failures().cleared_error_of(write.ticket).raise();
  if (write.lane != this) order_after(*write.lane, write.ticket);
}

void Lane::forget_failure() {
  if (!queue_->failures().failing()) return;
  device_.clear_failure(*queue_, issued());
  // The waits that brought the error in are spent: who reads the same failed results again must fail again.
  ordered_.clear();
  forgotten_at_ = issued().value;
}

void Lane::begin_point() {
  if (at_old_failure()) append(KernelId::kFill, FillArgs{nullptr, 0, 0});
}

void Lane::order_after(Lane& other, Ticket ticket) {
  if (other.committed() < ticket) {
    throw NotCommitted(
        fmt::format("ticket {} of stream {}, recorded by thread {}, is not committed (committed: {}) and is used on "
                    "stream {}; call commit() on the producing thread, or take an event there, before handing it over",
                    ticket.value, other.id().value, other.holder_thread(), other.committed().value, id_.value));
  }
  if (ordered_.size() <= other.id().value) ordered_.resize(other.id().value + std::size_t{1}, 0);
  std::uint64_t& ordered = ordered_[other.id().value];
  if (ordered >= ticket.value) return;
  // The list is closed whether or not the ticket has passed already: where lists end must not depend on timing.
  if (!list_.empty()) commit();
  const Status status =
      HEDDLE_PLANT(lane_orders_without_wait) ? Status{} : device_.wait_on(*queue_, other.queue(), ticket);
  status.raise();
  ordered = ticket.value;
  waited_at_ = issued().value;
}

Ticket Lane::record_upload(void* to, std::span<const std::byte> bytes, const OperandMemory& memory) {
  // Where the device has the host's memory, plain memory does. Nothing comes between staging and the command that could
  // close the list: what is only written needs no order.
  const CommandList::Place place = list_.stage(bytes.size(), [this](std::size_t size) {
    return device_.info().host_accessible ? device_.Device::allocate_host(size) : device_.allocate_host(size);
  });
  std::memcpy(place.memory, bytes.data(), bytes.size());
  return record(Command<UploadArgs>(KernelId::kUpload, {to, place.slot, place.offset, bytes.size()}), memory);
}

Ticket Lane::record_upload(void* to, std::shared_ptr<const std::byte> from, std::size_t bytes,
                           const OperandMemory& memory) {
  const Command<UploadArgs> command(KernelId::kUpload, {to, 0, 0, bytes});
  note<UploadArgs>(command, {memory});
  list_.append(command, std::move(from));
  return end_command();
}

Ticket Lane::record_draw(KernelId kernel, GeneratorState* generator, void* out, std::uint64_t count,
                         const OperandMemory& state, const OperandMemory& out_memory,
                         std::shared_ptr<const void> keep) {
  constexpr std::uint64_t kBlockValues = 4;
  Command<RandomArgs> command(kernel, {generator, 0, out, count});
  note<RandomArgs>(command, {state, out_memory});  // may close the list, and so end its draws
  draws_.reserve(draws_.size() + 1);  // once the command is in the list, nothing may keep its draw from being noted
  auto draw = std::find_if(draws_.begin(), draws_.end(), [&](const Draw& of) { return of.generator == generator; });
  if (draw != draws_.end()) command.args.block_offset = draw->blocks;
  list_.append(command);
  if (draw == draws_.end()) draw = draws_.insert(draw, Draw{generator, 0, std::move(keep)});
  draw->blocks += (count + kBlockValues - 1) / kBlockValues;
  // The list advances the state after its last draw. Noted once there is such a list: the generator goes on living.
  if (state) state.residency().note_write(this, next_ticket());
  return end_command();
}

bool Lane::finish_list() {
  if (list_.empty() && ends_with_wait()) append(KernelId::kFill, FillArgs{nullptr, 0, 0});
  return !list_.empty();
}

void Lane::close_list() {
  while (!draws_.empty()) {  // one by one: none is appended again where host memory runs out in between
    const Draw& draw = draws_.back();
    list_.append(KernelId::kAdvance, AdvanceArgs{draw.generator, draw.blocks});
    count_command();
    draws_.pop_back();
  }
}

bool Lane::has_room() {
  const std::uint64_t completed = queue_->completed().value;
  while (!closing_.empty() && closing_.front() <= completed) closing_.pop_front();
  return closing_.size() < limits_.committed_lists_max;
}

void Lane::wait_for(Lane& other, Ticket ticket) {
  if (&other != this && ticket.value != 0) order_after(other, ticket);
}

void Lane::run_after(Lane& other, Ticket ticket) {
  if (!list_.empty()) commit();
  if (&other != this) device_.order_on(*queue_, other.queue(), ticket).raise();
  append(KernelId::kFill, FillArgs{nullptr, 0, 0});
}

void Lane::commit(SubmitHint hint) {
  if (!finish_list()) return;
  while (!has_room()) {
    if (HEDDLE_PLANT(lane_commits_without_room)) break;
    wait(Ticket{closing_.front()}, sync::Deadline::never());
  }
  submit_list(hint);
}

void Lane::commit_full_list() {
  if (sync::NoWaiting::active() && !has_room()) return;
  try {
    commit();
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): the command is recorded
    // The next command, or whoever commits, tries again.
  }
}

void Lane::commit_at_end() {
  if (finish_list()) submit_list(SubmitHint::kAsynchronous);
}

void Lane::submit_list(SubmitHint hint) {
  close_list();
  closing_.push_back(issued().value);
  try {
    // A refused list is in the queue's failures already: synchronize() throws it.
    static_cast<void>(device_.submit(*queue_, std::move(list_), issued(), hint));
  } catch (...) {
    closing_.pop_back();  // host memory ran out: the list is still here
    throw;
  }
  if (services_.poller != nullptr) services_.poller->note_work();
  committed_.store(issued().value, sync::release);
  list_ = device_.recycled_list(*queue_);
  if (services_.commits != nullptr) services_.commits->on_commit();
}

bool Lane::try_commit() {
  if (nothing_to_commit()) return true;
  if (!has_room()) return false;
  commit();
  return true;
}

void Lane::on_complete(CompletionHandler handler, HandlerOptions options, std::shared_ptr<void> keep) {
  require_callable(handler);
  begin_point();
  commit();
  wait_for_handler_room();
  register_handler(std::move(handler), std::move(options), std::move(keep));
}

bool Lane::try_on_complete(CompletionHandler handler, HandlerOptions options, std::shared_ptr<void> keep) {
  require_callable(handler);
  const bool commits = !nothing_to_commit() || at_old_failure();
  if (!completions_.has_room(limits_.handlers_max) || (commits && !has_room())) return false;
  begin_point();
  commit();
  register_handler(std::move(handler), std::move(options), std::move(keep));
  return true;
}

void Lane::wait_for_handler_room() {
  if (device_.info().executes_on_caller && !device_.info().has_workers && !sync::NoWaiting::active() &&
      !completions_.has_room(limits_.handlers_max)) {  // nobody else would run the lists that they wait for
    wait(issued(), sync::Deadline::after(limits_.handler_wait_max), Helping::kIfNeeded);
  }
  if (completions_.wait_for_room(limits_.handlers_max, abandoned_, limits_.handler_wait_max)) return;
  throw Timeout(fmt::format(
      "on_complete: among the handlers of stream {} there was no room for another (handlers_max: {}) within {} ms "
      "(handler_wait_max): {}; use try_on_complete(), let handlers be shorter or run in an Executor, or raise the "
      "limits",
      id_.value, limits_.handlers_max, limits_.handler_wait_max.count(), completions_.crowd()));
}

void Lane::register_handler(CompletionHandler handler, HandlerOptions options, std::shared_ptr<void> keep) {
  if (abandoned_.load(sync::seq_cst)) throw Closed("the runtime shut down before the handler could be registered");
  if (options.executor == nullptr) keep = nullptr;
  if (HEDDLE_PLANT(task_owns_nothing)) keep = nullptr;
  if (!add_handler({.ticket = issued(),
                    .handler = std::move(handler),
                    .options = std::move(options),
                    .keep = std::move(keep)})) {
    throw Closed("on_complete: the runtime has shut down; register handlers before Runtime::shutdown()");
  }
}

bool Lane::on_complete(Ticket ticket, CompletionHandler handler) {
  return add_handler(
      {.ticket = ticket, .handler = std::move(handler), .options = {}, .keep = nullptr, .is_library_own = true});
}

bool Lane::add_handler(HandlerQueue::Entry&& entry) {
  if (!services_.handlers->add(completions_, std::move(entry))) return false;
  if (services_.poller != nullptr) services_.poller->wake();
  return true;
}

void Lane::synchronize() {
  // Where waiting is forbidden, nobody would run a list that was left to this thread.
  commit(sync::NoWaiting::active() ? SubmitHint::kAsynchronous : SubmitHint::kCallerWaits);
  wait(issued(), sync::Deadline::never());
  const Status error = queue_->failures().open_error();
  if (error.ok()) return;
  forget_failure();
  error.raise();
}

bool Lane::wait(Ticket ticket, sync::Deadline deadline, Helping helping) {
  if (queue_->completed() >= ticket) return true;
  sync::NoWaiting::refuse("waiting for a stream");
  const bool spins = policy_ != WaitPolicy::kBlock && !device_.info().executes_on_caller;
  const bool helps = helping == Helping::kYes || !device_.info().has_workers;
  while (queue_->completed() < ticket) {
    if (helps && device_.help(*queue_, ticket)) continue;
    if (spins) {
      const sync::Deadline spin_end =
          policy_ == WaitPolicy::kSpin ? deadline : deadline.earlier(sync::Deadline::after(limits_.spin_max));
      while (queue_->completed() < ticket && !spin_end.passed() && !abandoned_.load(sync::relaxed)) {
        sync::spin_wait();
      }
      if (queue_->completed() >= ticket) break;
    }
    if (deadline.passed()) return false;
    if (abandoned_.load(sync::seq_cst)) {
      throw Closed(
          fmt::format("the runtime shut down before ticket {} of stream {} was complete", ticket.value, id_.value));
    }
    sync::assert_no_locks_held("waiting for a ticket");
    parking_.park(*queue_, ticket, deadline, abandoned_);
  }
  return true;
}

void Lane::abandon() noexcept {
  abandoned_.store(true, sync::seq_cst);
  parking_.wake();
  completions_.wake();
}

}  // namespace HEDDLE_NS
