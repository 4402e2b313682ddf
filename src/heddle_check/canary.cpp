#include "heddle_check/canary.hpp"

#include <fmt/format.h>

#include "heddle_check/atomic.hpp"
#include "heddle_check/failure.hpp"
#include "heddle_check/thread.hpp"

namespace heddle_check {
namespace {

constexpr std::uint64_t kExecutions = 10'000;  // about one in ten fails

}  // namespace

Scenario canary_scenario(bool planted) {
  Scenario canary;
  canary.name = "canary";
  canary.group = "canary";
  canary.threads = 2;
  canary.claim = "no update is lost; with the plant `canary`, one is lost";
  canary.strategies = {{.name = "exhaustive"}};
  canary.body = [planted] {
    Atomic<int> count{0};
    const auto add = [&] {
      if (planted) {
        const int read = count.load();
        count.store(read + 1);
      } else {
        count.fetch_add(1);
      }
    };
    run_together({{"a", add}, {"b", add}});
    require(count.load() == 2, "no update is lost");
  };
  return canary;
}

std::string canary_is_silent(const std::vector<StrategySpec>& strategies, std::uint64_t seed) {
  const auto explore = [&](const StrategySpec& spec, bool planted) {
    return Explorer().explore(canary_scenario(planted), *make_strategy(spec, seed), {.executions = kExecutions});
  };
  const Result healthy = explore({.name = "exhaustive"}, false);
  if (healthy.failed() || !healthy.exhausted) return "the canary fails without its plant";
  for (const StrategySpec& spec : strategies) {
    if (explore(spec, true).failure.kind != FailureKind::kOracle) {
      return fmt::format("the canary does not fail under {}", to_text(spec));
    }
  }
  return {};
}

}  // namespace heddle_check
