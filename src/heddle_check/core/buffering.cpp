// The store-buffer half of Execution: how stores enter and leave the buffers, and which threads wait for that.
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "heddle_check/core/execution.hpp"

namespace heddle_check {

void Execution::buffer_point(Site site) {
  const ThreadId self = running_;
  // Other threads cannot see this, but fences on all threads come before or after it: an operation on its own object.
  ObjectRef& own = buffers_.object_of(self);
  use(own, ObjectType::kStoreBuffer, nullptr, site);
  const bool waits = buffers_.full(self) && buffers_.wait(self, bit(self), buffers_.oldest(self).number + 1);
  point(OperationKind::kBuffer, own.id, site, !waits);
}

void Execution::buffer_store(PendingStore store) {
  const ThreadId self = running_;
  ThreadId flusher = buffers_.flusher_of(self);
  if (flusher == kNoThread) {
    flusher = add_thread("buffer of " + threads_[self].name);
    threads_[flusher].finished = threads_[flusher].joined = true;
    buffers_.set_flusher(self, flusher);
  }
  if (buffers_.empty(self)) {
    next_[flusher] = {OperationKind::kFlush, store.object, store.site};
    enable(bit(flusher));
  }
  if (recording_) note(fmt::format("{} := {}", objects_.label(store.object), store.bits));
  buffers_.add(self, std::move(store));
}

void Execution::flush(ThreadId flusher) {
  const ThreadId owner = buffers_.owner_of(flusher);
  const PendingStore store = buffers_.take(owner);
  if (store.target != nullptr) {
    if (weak_memory_) {
      std::uint64_t before = 0;
      std::memcpy(&before, store.target, store.bytes);
      Store& visible = history_of(store.object, before).add(owner, false);
      visible.bits = store.bits;
      visible.time = store.time;
      visible.released = store.released;
    } else if (tracks_) {
      objects_[store.object].knowledge.hb = store.released.hb;
    }
    std::memcpy(store.target, &store.bits, store.bytes);
  }
  if (recording_) trace_.note(flusher, fmt::format(":= {}", store.bits));
  if (buffers_.empty(owner)) {
    disable(bit(flusher));
  } else {
    const PendingStore& next = buffers_.oldest(owner);
    next_[flusher] = {OperationKind::kFlush, next.object, next.site};
  }
  enable(buffers_.end_waits());
}

void Execution::drained_point(OperationKind kind, ObjectId object, Site site) {
  const bool waits = !buffers_.empty(running_) && buffers_.wait(running_, bit(running_), buffers_.next_number());
  point(kind, object, site, !waits);
}

void Execution::drain(Site site) {
  if (!buffers_.empty(running_)) drained_point(OperationKind::kDrain, kNoObject, site);
}

void Execution::drain_others(Site site) {
  if (buffers_.wait(running_, ~bit(running_), buffers_.next_number())) {
    point(OperationKind::kFence, kAllObjects, site, false);
  }
}

}  // namespace heddle_check
