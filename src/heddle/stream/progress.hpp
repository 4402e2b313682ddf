// Progress: what the lanes of one pool share: the device, the handler thread, the poller where the device announces
// nothing, and the listener that hears of every advance.
//
// Thread safety: all members but those that say otherwise.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/stream/handler_thread.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle/stream/poller.hpp"

namespace HEDDLE_NS {

class Progress final : public CompletionListener {
 public:
  // Becomes the listener of `device`.
  Progress(std::shared_ptr<Device> device, const Limits& limits, WaitPolicy wait,
           HandlerFailureHook on_handler_failure);

  // Before the first lane exists. `listener` outlives the last commit.
  void set_commit_listener(CommitListener* listener) noexcept { commits_ = listener; }
  // Throws what the device throws, and bad_alloc. This object outlives the lane.
  std::unique_ptr<Lane> make_lane(StreamId id);
  HandlerThread& handlers() noexcept { return handlers_; }
  const HandlerThread& handlers() const noexcept { return handlers_; }

  void on_progress(Queue& queue) noexcept override { static_cast<Lane*>(queue.owner())->on_progress(); }

  // Room for the handler queues of so many lanes, so that stopping their handlers needs no host memory. Under the
  // pool's mutex, as the next two. Throws bad_alloc.
  void expect_lanes(std::size_t lanes) { room_.reserve(lanes); }
  std::vector<HandlerQueue*> borrow_room() noexcept { return std::exchange(room_, {}); }
  void return_room(std::vector<HandlerQueue*>&& room) noexcept {
    room_ = std::move(room);
    room_.clear();
  }

 private:
  const std::shared_ptr<Device> device_;
  const Limits limits_;
  const WaitPolicy wait_;
  HandlerThread handlers_;
  CommitListener* commits_ = nullptr;
  std::unique_ptr<Poller> poller_;  // where the device does not announce progress
  std::vector<HandlerQueue*> room_;
};

}  // namespace HEDDLE_NS
