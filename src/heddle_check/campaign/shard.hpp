// One shard of a portfolio: the turns that it runs, and how its results reach the parent process.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heddle_check/campaign/portfolio.hpp"

namespace heddle_check {

// Lives in memory that all shards share.
struct Counters {
  std::atomic<std::uint64_t> executions{0};
  std::atomic<std::uint64_t> points{0};
};
struct Board {
  std::atomic<bool> stop{false};  // a shard failed
  Counters shards[kMaxShards];
};

// `between` is called between turns.
struct ShardWork {
  const Scenario& scenario;
  const PortfolioOptions& options;  // with its strategies
  unsigned shard;
  Board& board;
  void (*between)(void* context) = nullptr;
  void* context = nullptr;
};
std::vector<StrategyResult> run_shard(const ShardWork& work);

// Adds the results of another shard or another turn.
void merge(Result& into, const Result& part);

// As bytes, for another process of the same program. decode_results() throws std::invalid_argument for truncated bytes.
std::string encode_results(const std::vector<StrategyResult>& results);
std::vector<Result> decode_results(std::string_view bytes);

}  // namespace heddle_check
