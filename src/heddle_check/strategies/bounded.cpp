#include "heddle_check/strategies/bounded.hpp"

namespace heddle_check {

bool Bounded::begin() {
  depth_ = 0;
  used_ = 0;
  return !done_;
}

std::uint32_t Bounded::choose(const Choice& choice) {
  if (depth_ == path_.size()) {
    const bool preempts = choice.kind == ChoiceKind::kThread && choice.may_stay;
    const bool closed = preempts && used_ == current_;
    if (closed) cut_ = true;
    path_.push_back({static_cast<std::uint8_t>(closed ? 1 : choice.options), 0, preempts});
  }
  const Node& node = path_[depth_++];
  if (node.preempts && node.present != 0) ++used_;
  return node.present;
}

void Bounded::end(const Outcome&) {
  ++executions_;
  path_.resize(depth_);
  while (!path_.empty() && path_.back().present + 1 == path_.back().options) path_.pop_back();
  if (!path_.empty()) {
    ++path_.back().present;
    return;
  }
  completed_ = current_;
  executions_completed_ = executions_;
  executions_ = 0;
  // Without a cut, these were all schedules.
  done_ = !cut_ || current_ == most_;
  if (!cut_) completed_ = most_;
  cut_ = false;
  ++current_;
}

}  // namespace heddle_check
