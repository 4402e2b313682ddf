// The reference of the stress workload, in double precision.
//
// The sum of all entries of X * X is the dot product of X's column sums and row sums, so one sum costs one pass over X.
#pragma once

#include <chrono>
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
  std::uint64_t unchecked = 0;  // samples for which no time was left
  std::uint64_t mismatches = 0;
  std::vector<std::string> first;  // the first few, in words

  // Adds what another one found.
  void add(const Verification& other);
};

// Compares one sample and adds what it found.
void verify_sum(const SumReference& reference, const SumSample& sample, Verification& result);

// Compares every sample, on all processors; from `deadline` on no further one. Their order is such that those compared
// until then come from the whole run.
Verification verify_sums(const SumReference& reference, std::span<const SumSample> samples,
                         std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());

}  // namespace heddle::cli
