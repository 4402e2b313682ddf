#include "heddle/stream/residency.hpp"

#include <algorithm>

#include "heddle/stream/lane.hpp"

namespace HEDDLE_NS {

void Residency::note_use(Lane* lane, Ticket ticket) {
  sync::MutexLock lock(mutex_);
  const auto known = std::find_if(uses_.begin(), uses_.end(), [&](const StreamUse& use) { return use.lane == lane; });
  if (known != uses_.end()) {
    known->ticket = std::max(known->ticket, ticket);
  } else {
    uses_.push_back({lane, ticket});
  }
  foreign_.store(true, sync::release);
}

StreamUse Residency::first_use() const {
  sync::MutexLock lock(mutex_);
  return uses_.front();
}

bool Residency::settle() {
  sync::MutexLock lock(mutex_);
  std::erase_if(uses_, [](const StreamUse& use) { return use.lane->completed() >= use.ticket; });
  if (!uses_.empty()) return false;
  foreign_.store(false, sync::release);
  return true;
}

}  // namespace HEDDLE_NS
