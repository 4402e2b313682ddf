#include "heddle_check/strategies/surw.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace heddle_check {

bool Surw::begin() {
  profiling_ = executions_ % campaign_ < kProfileExecutions;
  if (profiling_) {
    profile_.begin();
    return true;
  }
  if (executions_ % campaign_ == kProfileExecutions) draw_interesting();
  left_ = counts_;
  pending_.fill(Pending::kUnknown);
  intended_ = kNoThread;
  return true;
}

void Surw::draw_interesting() {
  std::vector<Profile::Group> groups = profile_.groups();
  interesting_ = groups;
  if (executions_ / campaign_ % 2 == 1 && groups.size() > 1) {
    std::erase_if(interesting_, [&](Profile::Group) { return draws_->below(2) == 0; });
    if (interesting_.empty()) interesting_ = {groups[draws_->below(static_cast<std::uint32_t>(groups.size()))]};
  }
  counts_.fill(0);
  for (ThreadId thread = 0; thread < profile_.threads(); ++thread) {
    for (const Profile::Group group : interesting_) counts_[thread] += profile_.mean(thread, group);
  }
}

bool Surw::interesting(ThreadId thread, const View& view) {
  Pending& pending = pending_[thread];
  if (pending == Pending::kUnknown) {
    const Profile::Group group = profile_.group_of(view.next[thread]);
    const bool is = group != Profile::kPrivate && std::binary_search(interesting_.begin(), interesting_.end(), group);
    pending = is ? Pending::kInteresting : Pending::kOther;
  }
  return pending == Pending::kInteresting;
}

std::uint32_t Surw::weight(ThreadId thread, const View& view) {
  if (left_[thread] != 0 || thread >= view.threads) return left_[thread];
  return interesting(thread, view) ? 1 : 0;
}

ThreadId Surw::draw_intended(ThreadMask among, const View& view) {
  std::array<std::uint32_t, kMaxThreads> weights;  // NOLINT: filled below
  std::uint32_t total = 0;
  const ThreadId threads = std::max(view.threads, profile_.threads());
  for (ThreadId i = 0; i < threads; ++i) total += weights[i] = (among & bit(i)) != 0 ? weight(i, view) : 0;
  if (total == 0) return kNoThread;
  std::uint32_t drawn = draws_->below(total);
  ThreadId thread = 0;
  for (; drawn >= weights[thread]; ++thread) drawn -= weights[thread];
  return thread;
}

std::uint32_t Surw::choose_thread(const Choice& choice) {
  if (profiling_) return draws_->below(choice.options);
  if (intended_ == kNoThread) intended_ = draw_intended(~ThreadMask{0}, choice.view);
  std::array<std::uint32_t, kMaxThreads> allowed;  // NOLINT: filled below
  std::uint32_t count = 0;
  ThreadMask all = 0;
  for (std::uint32_t i = 0; i < choice.options; ++i) {
    const ThreadId thread = choice.threads[i];
    all |= bit(thread);
    if (thread == intended_ || !interesting(thread, choice.view)) allowed[count++] = i;
  }
  if (count == 1) return allowed[0];
  if (count != 0) return allowed[draws_->below(count)];
  intended_ = draw_intended(all, choice.view);
  return static_cast<std::uint32_t>(std::find(choice.threads, choice.threads + choice.options, intended_) -
                                    choice.threads);
}

void Surw::observe(ThreadId thread, const View& view) {
  if (profiling_) {
    profile_.add(thread, view.next[thread]);
    return;
  }
  const bool counts = interesting(thread, view);
  pending_[thread] = Pending::kUnknown;
  if (!counts) return;
  if (left_[thread] != 0) --left_[thread];
  if (thread == intended_) intended_ = kNoThread;
}

void Surw::end(const Outcome&) {
  if (profiling_) profile_.end();
  ++executions_;
}

std::string Surw::summary() const {
  std::uint64_t total = 0;
  for (const std::uint32_t count : counts_) total += count;
  return fmt::format("{} of {} groups of shared objects are interesting, {} operations of an execution",
                     interesting_.size(), profile_.groups().size(), total);
}

}  // namespace heddle_check
