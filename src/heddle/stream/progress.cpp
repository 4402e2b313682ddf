#include "heddle/stream/progress.hpp"

#include "heddle/sync/fault_point.hpp"

namespace HEDDLE_NS {

Progress::Progress(std::shared_ptr<Device> device, const Limits& limits, WaitPolicy wait,
                   HandlerFailureHook on_handler_failure)
    : device_(std::move(device)),
      limits_(limits),
      wait_(wait),
      handlers_(limits, SpinTimes::of(limits, wait != WaitPolicy::kBlock, device_->info().announces),
                std::move(on_handler_failure)) {
  if (!device_->info().announces) {
    const SpinTimes times = SpinTimes::of(limits, wait != WaitPolicy::kBlock, false);
    poller_ = std::make_unique<Poller>(*device_, *this,
                                       [this, times] { return handlers_.awake() ? times.expecting : times.usual; });
  }
  device_->set_listener(this);
}

std::unique_ptr<Lane> Progress::make_lane(StreamId id) {
  std::unique_ptr<Queue> queue;
  device_->create_queue(id, &queue).raise();
  sync::require_host_memory();
  return std::make_unique<Lane>(id, *device_, std::move(queue), limits_, wait_,
                                LaneServices{&handlers_, poller_.get(), commits_});
}

}  // namespace HEDDLE_NS
