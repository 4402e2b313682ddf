// Explorer: runs a scenario under a strategy until the strategy or a budget is exhausted, or an execution fails.
//
// Every `replay_every`-th execution is repeated from its decisions, and the two hashes are compared: a difference means
// that something escapes the checker, and is a failure. Thread safety: an explorer belongs to one thread. Several may
// run in several threads, but they share a scenario's static objects, so processes make better shards.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "heddle_check/decisions.hpp"
#include "heddle_check/failure.hpp"
#include "heddle_check/scenario.hpp"
#include "heddle_check/strategy.hpp"

namespace heddle_check {

class Carriers;
class Execution;
class LockOrder;

enum class Backend : std::uint8_t { kFibers, kThreads };

struct Budget {
  std::uint64_t executions = 0;  // 0: no limit
  double seconds = 0;            // 0: no limit
  double confidence = 0;         // ends when Strategy::confidence() reaches this; 0: never for that reason
};

struct Result {
  std::uint64_t executions = 0;
  std::uint64_t redundant = 0;  // among the executions: sleep-set blocked
  std::uint64_t replayed = 0;   // additional, to compare hashes
  std::uint64_t points = 0;
  std::uint32_t depth_max = 0;  // most points of one execution
  std::uint32_t threads_max = 0;
  bool exhausted = false;
  int bound = -1;          // the preemption bound that was completed
  double confidence = -1;  // of the strategy, if it computes one
  std::string summary;     // of the strategy: what the executions show, at its parameters
  double seconds = 0;
  Failure failure;
  DecisionList decisions;        // of the failing execution
  std::uint64_t trace_hash = 0;  // of the failing execution
  std::string trace;             // printed, a column per thread
  bool failed() const noexcept { return failure.kind != FailureKind::kNone; }
};

// The result of one execution.
struct Replayed {
  Failure failure;
  std::uint64_t trace_hash = 0;
  std::uint32_t points = 0;
  DecisionList decisions;
  std::string trace;
};

class Explorer {
 public:
  explicit Explorer(Backend backend = Backend::kFibers);
  ~Explorer();
  Explorer(const Explorer&) = delete;
  Explorer& operator=(const Explorer&) = delete;

  static constexpr std::uint32_t kReplayEvery = 100;
  void set_replay_every(std::uint32_t every) noexcept { replay_every_ = every; }  // 0: never

  Result explore(const Scenario& scenario, Strategy& strategy, Budget budget);
  // Runs the decisions once, with a printed trace. A decision that does not fit fails as kDivergence.
  Replayed replay(const Scenario& scenario, const DecisionList& decisions);

 private:
  bool same_again(const Scenario& scenario, Result& result);

  std::unique_ptr<LockOrder> lock_order_;
  std::unique_ptr<Carriers> carriers_;
  std::unique_ptr<Execution> execution_;
  std::uint32_t replay_every_ = kReplayEvery;
};

// "exhaustive", "bounded:2", "walk:0.1", "pct:3", "pos", "surw"; a parameter may be omitted. Throws
// std::invalid_argument with the allowed values.
StrategySpec parse_strategy(std::string_view text);
// The inverse of parse_strategy().
std::string to_text(const StrategySpec& spec);

// From a specification and a seed. Throws std::invalid_argument with the allowed values.
std::unique_ptr<Strategy> make_strategy(const StrategySpec& spec, std::uint64_t seed);

}  // namespace heddle_check
