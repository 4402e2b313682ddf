#include <cstring>
#include <vector>

#include "heddle/error.hpp"
#include "heddle/event.hpp"
#include "heddle/stream/event_access.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS {
namespace {

// Waits for the device to pass `event`, at which it wrote its clock to `slot`.
std::uint64_t nanoseconds_at(const Event& event, const Tensor& slot) {
  event.wait();
  std::uint64_t result = 0;
  if (slot.core().device().info().host_accessible) {
    std::memcpy(&result, address_of(slot), sizeof(result));
  } else {
    const std::vector<float> words = slot.to_host();
    std::memcpy(&result, words.data(), sizeof(result));
  }
  return result;
}

}  // namespace

TimingEvent::TimingEvent(Core& core) {
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  const Tensor slot = allocate_tensor(core, lane, Shape{sizeof(std::uint64_t) / sizeof(float)});
  slot_ = std::make_unique<const Tensor>(slot);
  lane.record(Command<TimestampArgs>(KernelId::kTimestamp, {static_cast<std::uint64_t*>(address_of(slot))}),
              operand_of(slot));
  event_ = record_event(core.pool(), lane);
}

TimingEvent::~TimingEvent() = default;
TimingEvent::TimingEvent(TimingEvent&&) noexcept = default;
TimingEvent& TimingEvent::operator=(TimingEvent&&) noexcept = default;

std::chrono::nanoseconds TimingEvent::since(const TimingEvent& earlier) const {
  if (slot_ == nullptr || earlier.slot_ == nullptr) {
    throw InvalidArgument("since: a timing event was moved from; use the one it was moved to");
  }
  if (&slot_->core() != &earlier.slot_->core()) {
    throw InvalidArgument("since: the timing events belong to two runtimes, whose clocks cannot be compared");
  }
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(nanoseconds_at(event_, *slot_) - nanoseconds_at(earlier.event_, *earlier.slot_)));
}

}  // namespace HEDDLE_NS
