#include <fmt/format.h>

#include <stdexcept>

#include "heddle_check/explorer.hpp"
#include "heddle_check/strategies/bounded.hpp"
#include "heddle_check/strategies/exhaustive.hpp"
#include "heddle_check/strategies/pct.hpp"
#include "heddle_check/strategies/pos.hpp"
#include "heddle_check/strategies/random_walk.hpp"
#include "heddle_check/strategies/surw.hpp"

namespace heddle_check {

std::unique_ptr<Strategy> make_strategy(const StrategySpec& spec, std::uint64_t seed) {
  if (spec.name == "exhaustive") return std::make_unique<Exhaustive>();
  if (spec.name == "bounded") return std::make_unique<Bounded>(spec.bound < 0 ? 2 : spec.bound);
  if (spec.name == "walk") return std::make_unique<RandomWalk>(spec.switch_probability, seed);
  if (spec.name == "pct") {
    return std::make_unique<Pct>(static_cast<std::uint32_t>(spec.bound < 1 ? Pct::kDepth : spec.bound), seed);
  }
  if (spec.name == "pos") return std::make_unique<Pos>(seed);
  if (spec.name == "surw") return std::make_unique<Surw>(seed);
  parse_strategy(spec.name);  // refuses it
  throw std::invalid_argument(fmt::format("strategy '{}' is given with its parameter in the name", spec.name));
}

}  // namespace heddle_check
