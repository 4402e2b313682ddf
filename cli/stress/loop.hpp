// The loop that one thread of the stress workload runs.
//
// Thread safety: one thread makes and runs a loop; any may read the slot's `iterations` meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

#include "cli/stress/stress.hpp"
#include "cli/verify/sums.hpp"
#include "heddle/heddle.hpp"

namespace heddle::cli {

// What one thread leaves behind.
struct alignas(128) StressSlot {
  std::atomic<std::uint64_t> iterations{0};  // after the warm-up; read by the progress line
  std::vector<SumSample> samples;            // the sums to verify
  Verification verified;                     // those that were, as the run went
  std::uint64_t unchecked_lists = 0;
};

class StressLoop {
 public:
  // Records set-up work on the calling thread's stream.
  StressLoop(Runtime& runtime, const StressOptions& options, std::uint32_t thread, StressSlot& slot);
  // Runs the warm-up rounds and leaves the stream idle.
  void warm_up();
  // Runs the iterations asked for; those of `--seconds` until `deadline`.
  void run(std::chrono::steady_clock::time_point deadline);

 private:
  void list(std::uint64_t count);
  void iteration();
  void read_sums();
  void keep(std::uint64_t count);

  Runtime& runtime_;
  const StressOptions& options_;
  const std::uint32_t thread_;
  const Inject inject_;  // none but in thread 0
  StressSlot& slot_;
  const Shape shape_;
  Generator generator_;
  Tensor previous_;            // kStale: the product of the round before
  Tensor mark_;                // kElement: zeros but for a one; kRow: ones but for a row of zeros
  std::vector<Tensor> sums_;   // of the current list
  std::vector<float> values_;  // the same, read
  std::uint64_t next_iteration_ = 0;
  std::uint64_t lists_ = 0;
};

}  // namespace heddle::cli
