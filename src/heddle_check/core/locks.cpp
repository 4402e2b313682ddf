#include "heddle_check/core/locks.hpp"

#include "heddle_check/core/sanitizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace heddle_check {

void check_lock_order(Execution& execution, ObjectId id, Site site) {
  const Object& taken = execution.objects()[id];
  for (const HeldLock& lock : execution.self().held) {
    const Object& held = execution.objects()[lock.object];
    if (taken.rank != kUnranked && held.rank != kUnranked && held.rank >= taken.rank) {
      execution.fail(FailureKind::kLockOrder,
                     fmt::format("{} of rank {} is locked while {} of rank {} is held", execution.objects().label(id),
                                 taken.rank, execution.objects().label(lock.object), held.rank),
                     site);
    }
    std::string cycle = execution.lock_order().note(held.lock_class, taken.lock_class, site);
    if (!cycle.empty()) execution.fail(FailureKind::kLockOrder, std::move(cycle), site);
  }
}

void take_lock(Execution& execution, ObjectId id, Site site) {
  Object& mutex = execution.objects()[id];
  mutex.wanted &= ~bit(execution.running());
  mutex.owner = execution.running();
  mutex.site = site;
  execution.disable(mutex.wanted | mutex.wanted_shared);
  execution.self().held.push_back({id, site});
  if (execution.tracks_knowledge()) execution.acquire(mutex.knowledge);
  sanitizer::acquire(id);
}

void lock_exclusive(Execution& execution, ObjectId id, Site site) {
  execution.drain(site);
  Object& mutex = execution.objects()[id];
  const ThreadMask self = bit(execution.running());
  if (mutex.owner == execution.running() || (mutex.readers & self) != 0) {
    execution.fail(FailureKind::kMisuse,
                   fmt::format("{} is locked again by the thread that holds it", execution.objects().label(id)), site);
  }
  mutex.wanted |= self;
  execution.point(OperationKind::kLock, id, site, mutex.owner == kNoThread && mutex.readers == 0);
  take_lock(execution, id, site);
}

void give_lock_back(Execution& execution, ObjectId id) {
  Object& mutex = execution.objects()[id];
  if (execution.tracks_knowledge()) execution.release(mutex.knowledge);
  sanitizer::release(id);
  mutex.owner = kNoThread;
  std::vector<HeldLock>& held = execution.self().held;
  const auto lock = std::find_if(held.rbegin(), held.rend(), [id](const HeldLock& h) { return h.object == id; });
  if (lock != held.rend()) held.erase(std::next(lock).base());
  execution.enable(mutex.wanted | mutex.wanted_shared);
}

}  // namespace heddle_check
