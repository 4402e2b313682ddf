// heddle stress --family: the workload at 8 to 80 threads, synchronising every tenth of the iterations; one table.
#pragma once

#include <array>
#include <cstdint>

#include "cli/stress/stress.hpp"

namespace heddle::cli {

inline constexpr std::array<std::uint32_t, 7> kFamilyThreads = {8, 16, 20, 32, 48, 64, 80};

// Runs the family `repeat` times; the exit code.
int run_family(const StressOptions& options, std::uint64_t repeat, bool json);

}  // namespace heddle::cli
