#include "heddle_check/canary.hpp"

#include <gtest/gtest.h>

#include "heddle_check/campaign/portfolio.hpp"

namespace heddle_check {
namespace {

TEST(Canary, FailsUnderEveryStrategyWhateverTheSeed) {
  std::vector<StrategySpec> strategies = default_portfolio();
  for (const char* systematic : {"exhaustive", "bounded:1", "bounded:2"}) {
    strategies.push_back(parse_strategy(systematic));
  }
  for (std::uint64_t seed = 0; seed < 50; ++seed) EXPECT_EQ(canary_is_silent(strategies, seed), "");
}

// A search that cannot preempt is blind, and is reported as such.
TEST(Canary, ABlindStrategyIsNamed) {
  EXPECT_EQ(canary_is_silent({parse_strategy("pos"), parse_strategy("bounded:0")}, 1),
            "the canary does not fail under bounded:0");
}

}  // namespace
}  // namespace heddle_check
