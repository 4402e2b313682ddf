#include "heddle/tensor/timing_event.hpp"

#include <cstring>
#include <vector>

#include "heddle/base/error.hpp"
#include "heddle/stream/stream_calls.hpp"

namespace HEDDLE_NS {

TimingEvent::TimingEvent(Core& core) {
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  slot_ = Tensor::allocate(core, lane, Shape{sizeof(std::uint64_t) / sizeof(float)});
  lane.record(Command<TimestampArgs>(KernelId::kTimestamp, {static_cast<std::uint64_t*>(slot_.address())}),
              slot_.memory());
  event_ = stream_calls::record_event(core.pool(), lane);
}

std::uint64_t TimingEvent::nanoseconds() const {
  event_.wait();
  std::uint64_t result = 0;
  if (slot_.core().device().info().host_accessible) {
    std::memcpy(&result, slot_.address(), sizeof(result));
  } else {
    const std::vector<float> words = slot_.to_host();
    std::memcpy(&result, words.data(), sizeof(result));
  }
  return result;
}

std::chrono::nanoseconds TimingEvent::since(const TimingEvent& earlier) const {
  if (!slot_.defined() || !earlier.slot_.defined()) {
    throw InvalidArgument("since: a timing event was moved from; use the one it was moved to");
  }
  if (&slot_.core() != &earlier.slot_.core()) {
    throw InvalidArgument("since: the timing events belong to two runtimes, whose clocks cannot be compared");
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds() - earlier.nanoseconds()));
}

}  // namespace HEDDLE_NS
