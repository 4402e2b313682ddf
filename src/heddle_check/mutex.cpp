#include "heddle_check/mutex.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "heddle_check/atomic.hpp"
#include "heddle_check/core/entered.hpp"
#include "heddle_check/core/locks.hpp"

namespace heddle_check {
namespace {

Object& enter(Execution& execution, ObjectRef& ref, ObjectType type, const char* name, int rank, Site site) {
  Object& object = execution.use(ref, type, name, site);
  if (object.lock_class == LockOrder::kNoClass && name != nullptr) {
    object.rank = rank;
    object.lock_class = execution.lock_order().class_of(name);
  }
  return object;
}

void check_owner(Execution& execution, ObjectId id, bool holds, Site site) {
  if (holds) return;
  execution.fail(FailureKind::kMisuse,
                 fmt::format("{} is unlocked by a thread that does not hold it", execution.objects().label(id)), site);
}

void destroy(ObjectRef& ref) {
  if (ref.epoch == 0) return;
  if (const Entered execution; execution) execution->destroy(ref, Site::current());
}

}  // namespace

Mutex::~Mutex() { destroy(ref_); }

void Mutex::lock(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  enter(*execution, ref_, ObjectType::kMutex, name_, rank_, site);
  check_lock_order(*execution, ref_.id, site);
  lock_exclusive(*execution, ref_.id, site);
}

bool Mutex::try_lock(Site site) {
  const Entered execution;
  if (execution == nullptr) return true;
  enter(*execution, ref_, ObjectType::kMutex, name_, rank_, site);
  if (!execution->limits().unlock_is_visible) {
    execution->fail(FailureKind::kMisuse, "a scenario with try_lock must set Limits::unlock_is_visible", site);
  }
  execution->drained_point(OperationKind::kTryLock, ref_.id, site);
  if (execution->objects()[ref_.id].owner != kNoThread || detail::weak_failure()) return false;
  take_lock(*execution, ref_.id, site);
  return true;
}

void Mutex::unlock(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  execution->drain(site);
  const Object& object = execution->use(ref_, ObjectType::kMutex, name_, site);
  check_owner(*execution, ref_.id, object.owner == execution->running(), site);
  if (execution->limits().unlock_is_visible) execution->point(OperationKind::kUnlock, ref_.id, site);
  const ThreadState& self = execution->self();
  if (self.probing != kNoObject && self.mutex == ref_.id) {
    execution->fail(
        FailureKind::kMaskedLostWakeup,
        fmt::format(
            "the condition that this thread waited for on {} holds, but no notification will come: only its timeout "
            "would have woken it",
            execution->objects().label(self.probing)),
        site);
  }
  give_lock_back(*execution, ref_.id);
}

SharedMutex::~SharedMutex() { destroy(ref_); }

void SharedMutex::lock(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  enter(*execution, ref_, ObjectType::kSharedMutex, name_, rank_, site);
  execution->use(readers_ref_, ObjectType::kSharedMutex, nullptr, site);
  check_lock_order(*execution, ref_.id, site);
  lock_exclusive(*execution, ref_.id, site);
  if (execution->tracks_knowledge()) execution->acquire(execution->objects()[readers_ref_.id].knowledge);
  sanitizer::acquire(readers_ref_.id);
}

void SharedMutex::unlock(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  execution->drain(site);
  const Object& object = execution->use(ref_, ObjectType::kSharedMutex, name_, site);
  check_owner(*execution, ref_.id, object.owner == execution->running(), site);
  give_lock_back(*execution, ref_.id);
}

void SharedMutex::lock_shared(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  execution->drain(site);
  Object& entered = enter(*execution, ref_, ObjectType::kSharedMutex, name_, rank_, site);
  execution->use(readers_ref_, ObjectType::kSharedMutex, nullptr, site);
  check_lock_order(*execution, ref_.id, site);
  const ThreadMask self = bit(execution->running());
  if (entered.owner == execution->running() || (execution->objects()[ref_.id].readers & self) != 0) {
    execution->fail(FailureKind::kMisuse, "a shared mutex is locked again by a thread that holds it", site);
  }
  execution->objects()[ref_.id].wanted_shared |= self;
  execution->point(OperationKind::kLockShared, ref_.id, site, execution->objects()[ref_.id].owner == kNoThread);
  Object& object = execution->objects()[ref_.id];
  object.wanted_shared &= ~self;
  object.readers |= self;
  execution->disable(object.wanted);
  execution->self().held.push_back({ref_.id, site});
  if (execution->tracks_knowledge()) execution->acquire(object.knowledge);
  sanitizer::acquire(ref_.id);
}

void SharedMutex::unlock_shared(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  execution->drain(site);
  Object& object = execution->use(ref_, ObjectType::kSharedMutex, name_, site);
  check_owner(*execution, ref_.id, (object.readers & bit(execution->running())) != 0, site);
  if (execution->tracks_knowledge()) execution->release(execution->objects()[readers_ref_.id].knowledge);
  sanitizer::release(readers_ref_.id);
  object.readers &= ~bit(execution->running());
  std::vector<HeldLock>& held = execution->self().held;
  held.erase(std::find_if(held.begin(), held.end(), [&](const HeldLock& h) { return h.object == ref_.id; }));
  if (object.readers == 0) execution->enable(object.wanted);
}

void require_no_locks_held(const char* door, Site site) {
  const Entered execution;
  if (execution == nullptr || execution->self().held.empty()) return;
  const HeldLock& lock = execution->self().held.back();
  execution->fail(FailureKind::kLockHeld,
                  fmt::format("{}: {} is held, locked at {}:{}", door, execution->objects().label(lock.object),
                              lock.site.file_name(), lock.site.line()),
                  site);
}

}  // namespace heddle_check
