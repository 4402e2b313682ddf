// Canary: a scenario that must fail. If it does not, the checker's run has shown nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/explorer.hpp"

namespace heddle_check {

// With the plant, an update is lost if two threads meet; without it, the scenario passes.
Scenario canary_scenario(bool planted);

// Empty if the canary fails as expected with the plant under each strategy of a run, and passes exhaustively without
// it; otherwise one line with the difference. Takes milliseconds.
std::string canary_is_silent(const std::vector<StrategySpec>& strategies, std::uint64_t seed);

}  // namespace heddle_check
