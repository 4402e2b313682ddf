// What a thread can ask of a stream it holds, shared by Runtime (the current stream) and Lease (its own).
//
// Thread safety: called inside the Recording that gave the lane.
#pragma once

#include <memory>

#include "heddle/base/namespace.hpp"
#include "heddle/stream/event.hpp"

namespace HEDDLE_NS::stream_calls {

// Commits, and names the point that was reached.
Event record_event(const std::shared_ptr<LanePool>& pool, Lane& lane);
// What is recorded from now on runs behind `event`, and inherits its error. Throws InvalidArgument for an event of
// another runtime.
void wait(const std::shared_ptr<LanePool>& pool, Lane& lane, const Event& event);
void on_complete(const std::shared_ptr<LanePool>& pool, Lane& lane, CompletionHandler handler, HandlerOptions options);
bool try_on_complete(const std::shared_ptr<LanePool>& pool, Lane& lane, CompletionHandler handler,
                     HandlerOptions options);

}  // namespace HEDDLE_NS::stream_calls
