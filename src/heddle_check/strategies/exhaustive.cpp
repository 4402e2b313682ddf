#include "heddle_check/strategies/exhaustive.hpp"

#include <bit>

namespace heddle_check {
namespace {

constexpr std::uint32_t kNoAnswer = 0xFFFFFFFF;  // fits no question: the execution fails as diverged

std::uint32_t option_of(const Choice& choice, ThreadId thread) {
  for (std::uint32_t i = 0; i < choice.options; ++i) {
    if (choice.threads[i] == thread) return i;
  }
  return kNoAnswer;
}

}  // namespace

bool Exhaustive::begin() {
  if (started_ && path_.empty()) return false;
  started_ = true;
  depth_ = 0;
  asleep_ = 0;
  redundant_ = false;
  return true;
}

std::uint32_t Exhaustive::choose(const Choice& choice) {
  if (redundant_) return 0;
  if (depth_ < path_.size() && path_[depth_].of_threads != (choice.kind == ChoiceKind::kThread)) return kNoAnswer;
  if (choice.kind == ChoiceKind::kThread) return choose_thread(choice);
  if (depth_ == path_.size()) {
    path_.push_back({false, 0, 0, 0, kNoThread, static_cast<std::uint8_t>(choice.options), 0});
  }
  return path_[depth_++].present;
}

std::uint32_t Exhaustive::choose_thread(const Choice& choice) {
  if (depth_ == path_.size()) {
    ThreadMask awake = 0;
    for (std::uint32_t i = 0; i < choice.options; ++i) awake |= bit(choice.threads[i]);
    awake &= ~asleep_;
    if (awake == 0) {
      redundant_ = true;
      return 0;
    }
    std::uint32_t first = 0;
    while ((awake & bit(choice.threads[first])) == 0) ++first;
    const ThreadId thread = choice.threads[first];
    path_.push_back({true, asleep_, awake & ~bit(thread), 0, thread, 0, 0});
  }
  const Node& node = path_[depth_++];
  if (sleeps_) asleep_ = node.asleep | node.done;
  return option_of(choice, node.thread);
}

void Exhaustive::observe(ThreadId thread, const View& view) {
  if ((asleep_ & bit(thread)) != 0) redundant_ = true;
  for (ThreadMask rest = asleep_; rest != 0; rest &= rest - 1) {
    const auto sleeper = static_cast<ThreadId>(std::countr_zero(rest));
    if (dependent(view.next[sleeper], view.next[thread])) asleep_ &= ~bit(sleeper);
  }
}

void Exhaustive::end(const Outcome&) {
  path_.resize(depth_);
  while (!path_.empty()) {
    Node& node = path_.back();
    if (node.of_threads) {
      node.done |= bit(node.thread);
      if (node.open != 0) {
        node.thread = static_cast<ThreadId>(std::countr_zero(node.open));
        node.open &= node.open - 1;
        return;
      }
    } else if (++node.present < node.options) {
      return;
    }
    path_.pop_back();
  }
}

}  // namespace heddle_check
