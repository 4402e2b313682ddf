#include "heddle/stream/poller.hpp"

#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Wakes the thread that waits for a ticket, as a lane does.
class Told final : public CompletionListener {
 public:
  void on_progress(Queue& queue) noexcept override {
    sync::MutexLock lock(mutex_);
    seen_ = queue.completed();
    changed_.notify_all();
  }
  void wait_for(Ticket ticket) {
    sync::MutexLock lock(mutex_);
    while (seen_ < ticket) changed_.wait(mutex_);
  }

 private:
  sync::Mutex mutex_{Rank::kLeaf};
  sync::ConditionVariable changed_;
  Ticket seen_ HEDDLE_GUARDED_BY(mutex_){};
};

// A device writes a ticket without notification (it has no listener); a thread watches the queue and waits for one.
void silent_device() {
  sim::SimDevice device({.auto_run = false});
  const std::unique_ptr<Queue> queue = make_queue(device);
  Told told;
  {
    Poller poller(device, told, [] { return std::chrono::microseconds(0); });
    poller.add(*queue);
    float cell = 0;
    submit_fill(device, *queue, 1, &cell);
    heddle_check::run_together({{"device", [&] { heddle_check::require(device.step(), "a list is due"); }},
                                {"waiter", [&] {
                                   queue->watch();
                                   poller.wake();
                                   if (queue->completed_after_watch() < Ticket{1}) told.wait_for(Ticket{1});
                                   queue->unwatch();
                                   heddle_check::require(cell == 1.0f, "the list's writes are visible");
                                 }}});
    poller.remove(*queue);
  }
  heddle_check::require(queue->completed() == Ticket{1}, "the list is done");
}

}  // namespace

void add_poller(Scenarios& to) {
  to.push_back({.name = "poller",
                .group = "handlers",
                .threads = 3,
                .body = silent_device,
                .limits = {.masked_wakeups = false},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a thread that watches a queue is notified of progress, although the device is silent"});
}

}  // namespace heddle::check
