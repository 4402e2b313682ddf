#include "heddle/stream.hpp"

#include <utility>

#include "heddle/error.hpp"
#include "heddle/stream/event_access.hpp"
#include "heddle/stream/recording.hpp"

namespace HEDDLE_NS {

// Recording's guards are neither copied nor moved: each return makes the caller's object.
Recording Stream::enter(Patience patience) const {
  if (slot_ != nullptr) return Recording(*pool_, *slot_);
  if (patience == Patience::kTries) return Recording(*pool_, Recording::Tries{});
  return Recording(*pool_);
}

StreamId Stream::id() const { return enter().lane().id(); }

void Stream::commit() const { enter().lane().commit(); }

bool Stream::try_commit() const {
  Recording recording = enter(Patience::kTries);
  return !recording || recording.lane().try_commit();
}

void Stream::synchronize() const { enter().lane().synchronize(); }

bool Stream::query() const {
  Recording recording = enter(Patience::kTries);
  return !recording || recording.lane().idle();
}

Event Stream::record_event() const {
  Recording recording = enter();
  return heddle::record_event(*pool_, recording.lane());
}

void Stream::wait(const Event& event) const {
  Recording recording = enter();
  Lane* const other = EventAccess::lane(event);
  if (other == nullptr) return;
  if (EventAccess::pool(event) != *pool_) {
    throw InvalidArgument(
        "wait: the event belongs to another runtime, whose tickets this device does not know; wait for it on the host "
        "(Event::wait)");
  }
  recording.lane().wait_for(*other, event.ticket());
}

void Stream::on_complete(CompletionHandler handler, HandlerOptions options) const {
  Recording recording = enter();
  recording.lane().on_complete(std::move(handler), std::move(options), *pool_);
}

bool Stream::try_on_complete(CompletionHandler handler, HandlerOptions options) const {
  Recording recording = enter(Patience::kTries);
  return recording && recording.lane().try_on_complete(std::move(handler), std::move(options), *pool_);
}

void* Stream::native_handle() const { return enter().lane().queue().native_handle(); }

}  // namespace HEDDLE_NS
