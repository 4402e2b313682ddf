#include <fmt/format.h>

#include <stdexcept>

#include "heddle_check/explorer.hpp"
#include "heddle_check/strategies/bounded.hpp"
#include "heddle_check/strategies/exhaustive.hpp"
#include "heddle_check/strategies/random_walk.hpp"

namespace heddle_check {

std::unique_ptr<Strategy> make_strategy(const StrategySpec& spec, std::uint64_t seed) {
  if (spec.name == "exhaustive") return std::make_unique<Exhaustive>();
  if (spec.name == "bounded") return std::make_unique<Bounded>(spec.bound < 0 ? 2 : spec.bound);
  if (spec.name == "walk") return std::make_unique<RandomWalk>(spec.switch_probability, seed);
  throw std::invalid_argument(fmt::format("strategy '{}' is unknown; allowed: exhaustive, bounded, walk", spec.name));
}

}  // namespace heddle_check
