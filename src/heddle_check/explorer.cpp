#include "heddle_check/explorer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "heddle_check/core/carriers.hpp"
#include "heddle_check/core/execution.hpp"
#include "heddle_check/core/lock_order.hpp"
#include "heddle_check/strategies/replay.hpp"

namespace heddle_check {
namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

}  // namespace

Explorer::Explorer(Backend backend)
    : lock_order_(std::make_unique<LockOrder>()),
      carriers_(backend == Backend::kFibers ? make_fibers() : make_real_threads()),
      execution_(std::make_unique<Execution>(*carriers_, *lock_order_)) {}

Explorer::~Explorer() = default;

bool Explorer::same_again(const Scenario& scenario, Result& result) {
  const DecisionList decisions = execution_->decisions();
  const std::uint64_t hash = execution_->trace_hash();
  Replay replay(decisions);
  replay.begin();
  execution_->run(scenario, replay, false);
  ++result.replayed;
  const bool same = execution_->trace_hash() == hash && replay.all_used();
  if (same && execution_->failure().kind == FailureKind::kNone) return true;
  result.failure = execution_->failure();
  result.failure.kind = FailureKind::kDivergence;
  result.failure.text =
      "the same decisions gave a different execution: the scenario keeps state between executions, or "
      "depends on something that the checker does not control" +
      (result.failure.text.empty() ? "" : "; " + result.failure.text);
  result.decisions = decisions;
  result.trace_hash = hash;
  return false;
}

Result Explorer::explore(const Scenario& scenario, Strategy& strategy, Budget budget) {
  Result result;
  const SteadyClock::time_point start = SteadyClock::now();
  while (true) {
    if (budget.executions != 0 && result.executions == budget.executions) break;
    if (budget.seconds != 0 && (result.executions & 63) == 63 && seconds_since(start) > budget.seconds) break;
    if (budget.confidence != 0 && strategy.confidence() >= budget.confidence) break;
    if (!strategy.begin()) {
      result.exhausted = true;
      break;
    }
    execution_->run(scenario, strategy, false);
    ++result.executions;
    result.points += execution_->points();
    result.depth_max = std::max(result.depth_max, execution_->points());
    result.threads_max = std::max(result.threads_max, execution_->threads());
    const bool failed = execution_->failure().kind != FailureKind::kNone;
    strategy.end({failed, execution_->points(), static_cast<std::uint32_t>(execution_->decisions().size())});
    if (strategy.redundant()) ++result.redundant;
    if (failed) {
      result.failure = execution_->failure();
      result.decisions = execution_->decisions();
      result.trace_hash = execution_->trace_hash();
      break;
    }
    if (replay_every_ != 0 && result.executions % replay_every_ == 0 && !same_again(scenario, result)) break;
  }
  result.bound = strategy.bound();
  result.confidence = strategy.confidence();
  result.summary = strategy.summary();
  result.seconds = seconds_since(start);
  if (result.failed() && result.failure.kind != FailureKind::kDivergence) {
    Replayed again = replay(scenario, result.decisions);
    result.trace = std::move(again.trace);
    if (again.trace_hash != result.trace_hash) {
      result.trace +=
          "the replay took a different course: the scenario depends on something that the checker does not "
          "control\n";
    }
  }
  return result;
}

Replayed Explorer::replay(const Scenario& scenario, const DecisionList& decisions) {
  Replay strategy(decisions);
  strategy.begin();
  execution_->run(scenario, strategy, true);
  Replayed replayed{execution_->failure(), execution_->trace_hash(), execution_->points(), execution_->decisions(),
                    execution_->printed_trace()};
  if (replayed.failure.kind == FailureKind::kNone && !strategy.all_used()) {
    replayed.failure = {
        FailureKind::kDivergence,
        fmt::format("the execution ended after {} of {} decisions", execution_->decisions().size(), decisions.size()),
        ""};
  }
  return replayed;
}

}  // namespace heddle_check
