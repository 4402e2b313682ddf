#include "heddle_check/campaign/shard.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include "heddle_check/strategies/random.hpp"

namespace heddle_check {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Long enough that its start and end cost little, short enough that strategies share the time.
constexpr std::uint64_t kTurn = 500;

bool systematic(const StrategySpec& spec) { return spec.name == "exhaustive" || spec.name == "bounded"; }

// Executions of strategy `index` in `shard`; 0 if it does not run there.
std::uint64_t quota(const PortfolioOptions& options, std::size_t index, unsigned shard) {
  const std::size_t strategies = options.strategies.size();
  const std::uint64_t unlimited = ~std::uint64_t{0};
  const std::uint64_t all = options.budget.executions;
  const std::uint64_t own = all == 0 ? unlimited : all / strategies + (index < all % strategies ? 1 : 0);
  if (systematic(options.strategies[index])) return index % options.shards == shard ? own : 0;
  return own == unlimited ? own : own / options.shards + (shard < own % options.shards ? 1 : 0);
}

std::uint64_t seed_of(const PortfolioOptions& options, std::size_t index, unsigned shard) {
  Random random(options.seed);
  Random other(random.next() + shard * kMaxShards + index);
  return other.next();
}

}  // namespace

void merge(Result& into, const Result& part) {
  into.executions += part.executions;
  into.redundant += part.redundant;
  into.replayed += part.replayed;
  into.points += part.points;
  into.depth_max = std::max(into.depth_max, part.depth_max);
  into.threads_max = std::max(into.threads_max, part.threads_max);
  into.exhausted = into.exhausted || part.exhausted;
  into.bound = std::max(into.bound, part.bound);
  into.seconds += part.seconds;
  into.confidence = std::max(into.confidence, part.confidence);
  if (!part.summary.empty()) into.summary = part.summary;
  if (into.failed() || !part.failed()) return;
  into.failure = part.failure;
  into.decisions = part.decisions;
  into.trace_hash = part.trace_hash;
  into.trace = part.trace;
}

std::vector<StrategyResult> run_shard(const ShardWork& work) {
  const PortfolioOptions& options = work.options;
  const SteadyClock::time_point start = SteadyClock::now();
  const auto left = [&] {
    return options.budget.seconds - std::chrono::duration<double>(SteadyClock::now() - start).count();
  };
  Explorer explorer;
  Counters& counters = work.board.shards[work.shard];
  std::vector<std::unique_ptr<Strategy>> strategies;
  std::vector<StrategyResult> results;
  std::vector<std::uint64_t> quotas;
  for (std::size_t i = 0; i < options.strategies.size(); ++i) {
    strategies.push_back(make_strategy(options.strategies[i], seed_of(options, i, work.shard)));
    results.push_back({options.strategies[i], {}});
    quotas.push_back(quota(options, i, work.shard));
  }
  for (bool any = true; any;) {
    any = false;
    for (std::size_t i = 0; i < strategies.size(); ++i) {
      if (quotas[i] == 0) continue;
      Budget turn{std::min(quotas[i], kTurn), 0};
      if (options.budget.seconds != 0 && (turn.seconds = left()) <= 0) return results;
      const Result part = explorer.explore(work.scenario, *strategies[i], turn);
      quotas[i] = part.exhausted ? 0 : quotas[i] - part.executions;
      merge(results[i].result, part);
      counters.executions.fetch_add(part.executions, std::memory_order_relaxed);
      counters.points.fetch_add(part.points, std::memory_order_relaxed);
      if (part.failed()) work.board.stop.store(true);
      if (work.between != nullptr) work.between(work.context);
      if (work.board.stop.load()) return results;
      any = true;
    }
  }
  return results;
}

}  // namespace heddle_check
