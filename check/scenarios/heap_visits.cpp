#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"
#include "heddle/tensor/core.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// A thread allocates and frees in its stream's heap while another visits and empties the heaps of all streams; the host
// may have no memory for one step of that.
void heap_that_is_visited() {
  Runtime runtime(simulated());
  DeviceMemory& memory = runtime.core().memory();
  heddle_check::run_together({{"recorder",
                               [&] {
                                 with_memory([&] {
                                   const Tensor kept = full(runtime, {1}, 2.0f);
                                   full(runtime, {1}, 3.0f);  // and dropped
                                   heddle_check::require(add(kept, kept).item() == 4.0f, "live memory is not touched");
                                 });
                               }},
                              {"visitor", [&] {
                                 heddle_check::require(memory.live_sizes(3).size() <= 3, "at most three are live");
                                 with_memory([&] { runtime.release_cached(); });
                               }}});
  heddle_check::require(memory.audit(), "every heap was visited, and the sums are right");
  heddle_check::require(memory.statistics().live_blocks == 0, "no block is live");
  heddle_check::require(runtime.shutdown().complete, "everything was done");
}

// A thread allocates and frees in its stream's heap, partly through another stream's thread, while a third reads the
// counts.
void statistics_beside_a_holder() {
  Runtime runtime(simulated());
  constexpr std::size_t kBytes = 1024;
  constexpr std::size_t kBlocks = 3;
  Tensor handed = full(runtime, {kBytes / sizeof(float)}, 1.0f);
  const std::size_t rounded = runtime.memory_statistics().rounded;
  const auto looks = [&] {
    const MemoryStatistics now = runtime.memory_statistics();
    heddle_check::require(now.live_blocks <= kBlocks && now.live <= kBlocks * kBytes &&
                              now.rounded <= kBlocks * rounded && now.reserved <= now.reserved_peak,
                          "every block that counts as freed also counts as allocated");
  };
  heddle_check::run_together({{"holder",
                               [&] {
                                 for (std::size_t i = 1; i < kBlocks; ++i)
                                   full(runtime, {kBytes / sizeof(float)}, 2.0f);  // and dropped
                               }},
                              {"dropper", [&] { handed = Tensor(); }},
                              {"reader", looks}});
  heddle_check::require(runtime.memory_statistics().live_blocks == 0, "no block is live");
  heddle_check::require(runtime.shutdown().complete, "everything was done");
}

// A thread repeatedly takes and returns a third of the memory; another requests two thirds.
void scarce_memory_beside_a_holder() {
  constexpr std::int64_t kThird = 1024;  // floats
  Options options = simulated();
  options.memory_limit = 3 * kThird * sizeof(float);
  Runtime runtime(options);
  Lease lease = runtime.lease();
  full(runtime, {3 * kThird}, 0.0f);  // and dropped: all memory is this stream's
  lease.synchronize();
  lease.detach();
  heddle_check::run_together({{"holder",
                               [&] {
                                 lease.attach();
                                 for (int i = 0; i < 2; ++i) full(runtime, {kThird}, 1.0f);  // and dropped
                                 lease.synchronize();
                                 lease.detach();
                               }},
                              {"asker", [&] { full(runtime, {2 * kThird}, 2.0f); }}});
  heddle_check::require(runtime.memory_statistics().out_of_memory == 0, "there was always room");
  heddle_check::require(runtime.shutdown().complete, "everything was done");
}

}  // namespace

void add_heap_visits(Scenarios& to) {
  to.push_back({.name = "heap_visits",
                .group = "memory",
                .threads = 2,
                .body = heap_that_is_visited,
                .limits = {.host_memory_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "other threads visit and empty a heap only between its holder's operations"});
  to.push_back(
      {.name = "statistics_beside_holder",
       .group = "memory",
       .threads = 3,
       .body = statistics_beside_a_holder,
       .limits = {.stale_reads = 3},
       .strategies = {{.name = "bounded", .bound = 1, .executions = 5'000}, {.name = "walk", .executions = 5'000}},
       .claim = "blocks that statistics count as freed also count as allocated, so no figure wraps"});
  to.push_back(
      {.name = "scarce_memory",
       .group = "memory",
       .threads = 2,
       .body = scarce_memory_beside_a_holder,
       .limits = {},
       .strategies = {{.name = "bounded", .bound = 2, .executions = 5'000}, {.name = "walk", .executions = 5'000}},
       .claim = "an allocation waits for memory that other threads take and return, however it reads the counts"});
}

}  // namespace heddle::check
