// Portfolio: several strategies on one scenario, in turns, in several processes, until an execution fails or the budget
// is used up.
//
// No strategy is best on all programs, and a machine has several cores. Each process (shard) has its own explorer, and
// its own seeds for the random strategies; a systematic strategy (exhaustive, bounded) runs in one shard only. A budget
// in executions gives the same counts for the same seed and number of shards, as long as nothing fails; a budget in
// seconds depends on the machine. The first failure ends the other shards at their next turn. If several fail together,
// the reported one may differ from run to run; each reported one replays.
//
// A shard that crashes is a result: `lost` reports it, and the other shards' results count.
// Thread safety: call it from a process with one thread (it forks).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/explorer.hpp"

namespace heddle_check {

struct PortfolioOptions {
  std::vector<StrategySpec> strategies = {};  // empty: default_portfolio()
  Budget budget = {};                         // of all shards together; one of the two must be set
  std::uint64_t seed = 1;
  unsigned shards = 1;    // 1: in this process
  bool progress = false;  // a line that is rewritten, on standard error if that is a terminal
};

struct StrategyResult {
  StrategySpec spec;
  Result result;  // of all shards; `seconds` is their sum
};

struct PortfolioResult {
  std::vector<StrategyResult> parts;  // in the order of the strategies
  Result total;                       // `failure` is the first one; `exhausted`: some part was exhausted
  std::string failed_strategy;
  std::vector<std::string> lost;  // one line for each shard that did not finish
  bool failed() const noexcept { return total.failed() || !lost.empty(); }
};

inline constexpr unsigned kMaxShards = 256;

// Uniform walks with four probabilities, PCT with depths 2 and 3, POS and SURW.
std::vector<StrategySpec> default_portfolio();

// Throws std::invalid_argument for an invalid budget or number of shards, and for unknown strategies; std::system_error
// if processes cannot be started.
PortfolioResult run_portfolio(const Scenario& scenario, const PortfolioOptions& options);

}  // namespace heddle_check
