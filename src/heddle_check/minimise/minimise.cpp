#include "heddle_check/minimise/minimise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "heddle_check/explorer.hpp"
#include "heddle_check/minimise/course.hpp"
#include "heddle_check/strategies/bounded.hpp"
#include "heddle_check/strategies/replay.hpp"

namespace heddle_check {
namespace {

class Minimiser {
 public:
  Minimiser(const Scenario& scenario, const MinimiseOptions& options) : scenario_(scenario), options_(options) {}

  Minimised run(const DecisionList& decisions) {
    Replay replay(decisions);
    best_ = attempt(replay);
    const Failure& failure = best_.result.failure;
    if (!best_.result.failed()) {
      throw std::invalid_argument("the decisions alone do not fail: there is nothing to minimise");
    }
    if (failure.kind == FailureKind::kDivergence) {
      throw std::invalid_argument(fmt::format("the decisions do not fit: {}", failure.text));
    }
    signature_ = signature_of(failure);
    Minimised minimised;
    minimised.preemptions_before = best_.course.preemptions();
    leave_out();
    minimised.smallest = search_fewer_preemptions();
    repeat(minimised);
    minimised.failure = best_.result.failure;
    minimised.decisions = best_.result.decisions;
    minimised.trace_hash = best_.result.trace_hash;
    minimised.trace = best_.result.trace;
    for (const Deviation& deviation : best_.course.deviations) minimised.story.push_back(deviation.text);
    minimised.preemptions = best_.course.preemptions();
    minimised.executions = executions_;
    return minimised;
  }

 private:
  struct Attempt {
    Result result;
    Course course;
    auto cost() const { return std::tuple(course.preemptions(), course.deviations.size(), course.performers.size()); }
  };

  // An explorer remembers the lock order over all its executions: for that failure, each attempt has its own explorer.
  Explorer& explorer() {
    if (explorer_ == nullptr || best_.result.failure.kind == FailureKind::kLockOrder) {
      explorer_ = std::make_unique<Explorer>();
      explorer_->set_replay_every(0);
    }
    return *explorer_;
  }

  Attempt attempt(Strategy& strategy) {
    Recording recording(strategy);
    ++executions_;
    Result result = explorer().explore(scenario_, recording, {.executions = 1});
    return {std::move(result), recording.course()};
  }

  bool take_if_better(Attempt attempt) {
    if (!attempt.result.failed() || signature_of(attempt.result.failure) != signature_) return false;
    if (attempt.cost() >= best_.cost()) return false;
    best_ = std::move(attempt);
    return true;
  }

  // Tries runs of deviations of all lengths, from half of them down to single ones, until all are necessary.
  void leave_out() {
    for (std::size_t length = best_.course.deviations.size(); length > 0;) {
      bool any = false;
      for (std::size_t first = 0; first < best_.course.deviations.size();) {
        std::vector<Deviation> kept = best_.course.deviations;
        const std::size_t end = std::min(first + length, kept.size());
        kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(first), kept.begin() + static_cast<std::ptrdiff_t>(end));
        Guide guide(kept, best_.course.performers);
        if (take_if_better(attempt(guide))) {
          any = true;  // and try the same place again
        } else {
          first += length;
        }
      }
      if (!any || length > 1) length = length == 1 ? 0 : length / 2;
    }
  }

  // True if no execution with fewer preemptions is known to fail in this way.
  bool search_fewer_preemptions() {
    const std::uint32_t now = best_.course.preemptions();
    if (now == 0) return true;
    if (best_.result.failure.kind == FailureKind::kLockOrder) return false;
    Bounded bounded(static_cast<int>(now) - 1);
    Recording recording(bounded);
    std::uint64_t left = options_.search_executions;
    while (left != 0) {
      Result result = explorer().explore(scenario_, recording, {.executions = left});
      executions_ += result.executions;
      left -= result.executions;
      if (result.exhausted) return true;
      if (result.failed() && take_if_better({std::move(result), recording.course()})) {
        // Bounds were searched from 0 upwards: all those below this one were exhausted.
        leave_out();
        return true;
      }
    }
    return false;
  }

  void repeat(Minimised& minimised) {
    for (; minimised.replays < options_.replays; ++minimised.replays) {
      const Replayed again = explorer().replay(scenario_, best_.result.decisions);
      const bool same = again.trace_hash == best_.result.trace_hash && signature_of(again.failure) == signature_;
      minimised.replays_same += same ? 1 : 0;
    }
    executions_ += minimised.replays;
  }

  const Scenario& scenario_;
  const MinimiseOptions& options_;
  std::unique_ptr<Explorer> explorer_;
  Attempt best_;
  std::string signature_;
  std::uint64_t executions_ = 0;
};

// "text (thread t0, file:line)" -> "text"
std::string without_place(const std::string& text) { return text.substr(0, text.rfind(" (thread ")); }

std::string without_numbers(const std::string& text) {
  std::string kept;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i++];
    kept += c;
    while (c == '#' && i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
  }
  return kept;
}

}  // namespace

std::string signature_of(const Failure& failure) {
  switch (failure.kind) {
    case FailureKind::kOracle:
    case FailureKind::kCheck:
    case FailureKind::kException:
    case FailureKind::kMisuse:
      return fmt::format("{}: {}", name_of(failure.kind), without_numbers(without_place(failure.text)));
    // The text begins with the name of the object; the other thread follows.
    case FailureKind::kRace: {
      const std::string text = without_numbers(failure.text);
      return fmt::format("{}: {}", name_of(failure.kind), text.substr(0, text.find('#')));
    }
    default: return name_of(failure.kind);
  }
}

Minimised minimise(const Scenario& scenario, const DecisionList& decisions, const MinimiseOptions& options) {
  return Minimiser(scenario, options).run(decisions);
}

}  // namespace heddle_check
