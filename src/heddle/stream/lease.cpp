#include <fmt/format.h>

#include <utility>

#include "heddle/error.hpp"
#include "heddle/stream.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/stream/thread_leases.hpp"

namespace HEDDLE_NS {

Lease::Lease(std::shared_ptr<LanePool> pool) { take(std::move(pool), false); }

std::optional<Lease> Lease::try_take(std::shared_ptr<LanePool> pool) {
  Lease lease;
  if (!lease.take(std::move(pool), true)) return std::nullopt;
  return lease;
}

bool Lease::take(std::shared_ptr<LanePool> pool, bool try_only) {
  sync::require_not_forked();
  thread_leases().commit_current(*pool);
  auto slot = std::make_shared<LeaseSlot>();
  const auto forget = [&] {
    pool->remove_slot(*slot);
    thread_leases().remove(*slot);
  };
  thread_leases().attach(pool, slot);
  std::optional<StreamId> id;
  try {
    pool->add_slot(slot);
    id = try_only ? pool->try_acquire(*slot) : pool->acquire(*slot);
  } catch (...) {
    forget();
    throw;
  }
  if (!id) {
    forget();
    return false;
  }
  pool_ = std::move(pool);
  slot_ = std::move(slot);
  id_ = *id;
  return true;
}

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  end();
  pool_ = std::move(other.pool_);
  slot_ = std::move(other.slot_);
  id_ = other.id_;
  return *this;
}

void Lease::end() noexcept {
  if (slot_ == nullptr || sync::in_forked_child()) return;
  const std::shared_ptr<LeaseSlot> slot = std::move(slot_);
  // Entered: a custom operation ends it on the thread that is inside a call on it, or it is another thread's.
  ThreadLeases* const own = thread_leases_if_any();
  if (!slot->gate.entered() && own != nullptr && own->remove(*slot)) {
    pool_->release(*slot);
  } else if (!pool_->release_from_outside(*slot)) {
    return;
  }
  pool_->remove_slot(*slot);
}

void Lease::require_lease() const {
  sync::require_not_forked();
  if (slot_ == nullptr) throw InvalidArgument("this lease was moved from; use the one it was moved to");
}

void Lease::detach() {
  commit();
  thread_leases().remove(*slot_);
  slot_->thread.store(0, sync::release);
}

void Lease::attach() {
  require_lease();
  if (const std::uint64_t thread = slot_->thread.load(sync::acquire); thread != 0) {
    throw InvalidArgument(fmt::format(
        "this lease is attached to thread {}; detach() it there before another thread attaches it", thread));
  }
  thread_leases().commit_current(*pool_);
  thread_leases().attach(pool_, slot_);
  pool_->note_attached(*slot_);
}

Stream Lease::stream() const {
  require_lease();
  return Stream(pool_, &slot_);
}

}  // namespace HEDDLE_NS
