// One verification round: its identity, its canaries, its three attempts, its verdict.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/verify/attempt.hpp"
#include "cli/verify/verify.hpp"

namespace heddle::cli {

// Told when a part of the round is over: "canaries", "attempt 1: memory pressure", and what came of it.
using RoundProgress = std::function<void(const std::string& part, const std::string& outcome)>;

// Runs the round. What goes wrong in it is in the result; throws only where this process itself cannot go on.
// REQUIRES: the options were checked (device, check program).
RoundResult run_round(const VerifyOptions& options, std::uint64_t number, const RoundProgress& progress);

// The verdict over what is in `result`: sets state and reason. A round that may say nothing is void, whatever it found.
void judge(RoundResult& result);

// Files or symbols of the tables that are not in the tree.
std::vector<std::string> missing_symbols(const std::filesystem::path& tree, const std::vector<Attempt>& attempts);

}  // namespace heddle::cli
