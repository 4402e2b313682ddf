#include "heddle/stream/stream_calls.hpp"

#include <utility>

#include "heddle/base/error.hpp"

namespace HEDDLE_NS::stream_calls {

Event record_event(const std::shared_ptr<LanePool>& pool, Lane& lane) {
  lane.begin_point();
  lane.commit();
  return {pool, lane, lane.committed()};
}

void wait(const std::shared_ptr<LanePool>& pool, Lane& lane, const Event& event) {
  if (event.lane() == nullptr) return;
  if (event.pool() != pool) {
    throw InvalidArgument(
        "wait: the event belongs to another runtime, whose tickets this device does not know; wait for it on the host "
        "(Event::wait)");
  }
  lane.wait_for(*event.lane(), event.ticket());
}

void on_complete(const std::shared_ptr<LanePool>& pool, Lane& lane, CompletionHandler handler, HandlerOptions options) {
  lane.on_complete(std::move(handler), std::move(options), pool);
}

bool try_on_complete(const std::shared_ptr<LanePool>& pool, Lane& lane, CompletionHandler handler,
                     HandlerOptions options) {
  return lane.try_on_complete(std::move(handler), std::move(options), pool);
}

}  // namespace HEDDLE_NS::stream_calls
