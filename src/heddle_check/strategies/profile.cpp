#include "heddle_check/strategies/profile.hpp"

#include <bit>

namespace heddle_check {

void Profile::begin() { objects_.clear(); }

void Profile::add(ThreadId thread, const Operation& operation) {
  threads_ = threads_ > thread ? threads_ : thread + 1;
  if (!counts(operation)) return;
  const auto [at, added] = places_.try_emplace(place_of(operation), static_cast<std::uint32_t>(parents_.size()));
  const std::uint32_t place = at->second;
  if (added) {
    parents_.push_back(place);
    shared_.push_back(false);
    performed_.emplace_back();
  }
  ++performed_[place][thread];
  if (objects_.size() <= operation.object) objects_.resize(operation.object + std::size_t{1});
  Used& used = objects_[operation.object];
  if (used.by == 0) used.place = place;
  used.by |= bit(thread);
  const std::uint32_t root = root_of(place), other = root_of(used.place);
  if (root != other) {
    parents_[other] = root;
    shared_[root] = shared_[root] || shared_[other];
  }
  if (!std::has_single_bit(used.by)) shared_[root] = true;
}

void Profile::end() { ++executions_; }

Profile::Group Profile::group_of(const Operation& operation) const {
  if (!counts(operation)) return kPrivate;
  const auto at = places_.find(place_of(operation));
  if (at == places_.end()) return kPrivate;
  const std::uint32_t root = root_of(at->second);
  return shared_[root] ? root : kPrivate;
}

std::vector<Profile::Group> Profile::groups() const {
  std::vector<Group> groups;
  for (std::uint32_t place = 0; place < parents_.size(); ++place) {
    if (parents_[place] == place && shared_[place]) groups.push_back(place);
  }
  return groups;
}

std::uint32_t Profile::mean(ThreadId thread, Group group) const {
  std::uint64_t sum = 0;
  for (std::uint32_t place = 0; place < parents_.size(); ++place) {
    if (root_of(place) == group) sum += performed_[place][thread];
  }
  return executions_ == 0 ? 0 : static_cast<std::uint32_t>((sum + executions_ / 2) / executions_);
}

}  // namespace heddle_check
