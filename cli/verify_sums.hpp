// The reference of the stress workload, in double precision.
//
// The sum of all entries of X * X is the dot product of X's column sums and row sums, so one sum costs one pass over X.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace heddle::cli {

// One sum that the device computed: that of iteration `iteration` of thread `thread`.
struct SumSample {
  std::uint64_t iteration;
  std::uint32_t thread;
  float value;
};

struct SumReference {
  std::uint64_t seed;
  std::uint64_t size;
};

// The sum for the X that (thread, iteration) draws.
double reference_sum(const SumReference& reference, std::uint64_t thread, std::uint64_t iteration);

// By how much a float32 sum may differ: 2e-5 * size^1.5. (The sum's own spread is about size^1.5.)
double sum_tolerance(std::uint64_t size);

struct Verification {
  std::uint64_t checked = 0;
  std::uint64_t mismatches = 0;
  std::vector<std::string> first;  // the first few, in words
};

// Compares every sample, on all processors.
Verification verify_sums(const SumReference& reference, std::span<const SumSample> samples);

}  // namespace heddle::cli
