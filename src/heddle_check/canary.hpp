// Canary: a scenario that must fail. A run of the checker in which it does not has shown nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/explorer.hpp"

namespace heddle_check {

// With the plant an update is lost if two threads meet; without it the scenario passes.
Scenario canary_scenario(bool planted);

// Empty when the canary fails, with the plant and in the expected way, under each of the strategies that a run uses,
// and passes exhaustively without it; else one line that says where it did not. Takes milliseconds.
std::string canary_is_silent(const std::vector<StrategySpec>& strategies, std::uint64_t seed);

}  // namespace heddle_check
