#include "heddle/stream/poller.hpp"

#include <algorithm>
#include <utility>

#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

// Between two looks, so that the mutex is free for those who begin to watch.
constexpr int kSpinTurns = 8;

}  // namespace

Poller::Poller(Device& device, CompletionListener& listener, std::function<std::chrono::microseconds()> spin_time)
    : device_(device),
      listener_(listener),
      spin_time_(std::move(spin_time)),
      thread_("heddle-poller", [this] { work(); }) {}

Poller::~Poller() {
  {
    sync::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Poller::add(Queue& queue) {
  sync::MutexLock lock(mutex_);
  // Both now, and before the queue is known: the poller's thread has no caller to throw to when memory runs out, and a
  // queue whose owner could not be made does not come back to be removed.
  sync::require_host_memory();
  queues_.reserve(queues_.size() + 1);
  moved_.reserve(queues_.capacity());
  queues_.push_back({&queue});
}

void Poller::remove(Queue& queue) noexcept {
  sync::MutexLock lock(mutex_);
  std::erase_if(queues_, [&](const Watched& watched) { return watched.queue == &queue; });
  while (announcing_ == &queue) changed_.wait(mutex_);
}

void Poller::wake() noexcept {
  sync::MutexLock lock(mutex_);
  changed_.notify_all();
}

bool Poller::any_watched() const {
  return std::any_of(queues_.begin(), queues_.end(), [](const Watched& watched) { return watched.queue->watched(); });
}

void Poller::end_rest() noexcept {
  sync::MutexLock lock(mutex_);
  has_work_ = true;
  changed_.notify_all();
}

void Poller::rest() {
  if (has_work_) {
    // An interval is slept through whatever is submitted meanwhile, so that submits find nobody to wake.
    changed_.wait_until(mutex_, next_fault_);
    if (!next_fault_.passed() || stopping_) return;
    has_work_ = false;
    mutex_.unlock();
    device_.poll();  // may block in the driver
    mutex_.lock();
    return;
  }
  resting_.store(true, sync::seq_cst);
  mutex_.unlock();  // the device's locks rank below ours
  const bool busy = device_.busy();
  mutex_.lock();
  has_work_ = has_work_ || busy;
  bool watched = any_watched();
  if (HEDDLE_PLANT(poller_rests_though_watched)) watched = false;
  if (!has_work_ && !watched && !stopping_) changed_.wait(mutex_);
  resting_.store(false, sync::seq_cst);
  put_off_questions();
}

void Poller::put_off_questions() {
  next_fault_ = sync::Deadline::after(kFaultInterval);
  next_question_ = sync::Deadline::after(kQuestionInterval);
}

void Poller::look() {
  moved_.clear();
  for (Watched& watched : queues_) {
    const Ticket completed = watched.queue->completed();
    if (completed == watched.seen) continue;
    watched.seen = completed;
    if (watched.queue->watched()) moved_.push_back(watched.queue);
  }
}

void Poller::work() {
  sync::prefer_short_turns();
  const sync::NoWaiting no_waiting("the poller's thread");  // whatever of the user's is destroyed on it
  sync::MutexLock lock(mutex_);
  sync::TimePoint moved_at{};
  put_off_questions();
  while (!stopping_) {
    if (!any_watched()) {
      rest();
      moved_at = sync::now();
      continue;
    }
    look();
    const bool any_moved = !moved_.empty();
    while (!moved_.empty()) {
      Queue* const queue = moved_.back();
      moved_.pop_back();
      // Removed meanwhile: it is not touched any more.
      if (std::none_of(queues_.begin(), queues_.end(), [&](const Watched& w) { return w.queue == queue; })) continue;
      announcing_ = queue;
      lock.unlock();
      listener_.on_progress(*queue);
      lock.lock();
      announcing_ = nullptr;
      changed_.notify_all();
    }
    if (any_moved) {
      moved_at = sync::now();
      next_fault_ = sync::Deadline::after(kFaultInterval);
    }
    if (next_fault_.passed() || next_question_.passed()) {
      lock.unlock();
      device_.poll();  // may block in the driver
      lock.lock();
      put_off_questions();
    } else if (any_moved) {
      continue;
    } else if (sync::Deadline::at(moved_at + spin_time_()).passed()) {
      changed_.wait_until(mutex_, sync::Deadline::after(kInterval));
    } else {
      lock.unlock();
      for (int turn = 0; turn < kSpinTurns; ++turn) sync::spin_wait();
      lock.lock();
    }
  }
}

}  // namespace HEDDLE_NS
