// Memory that the device refuses, for page sources and for a whole runtime.
#include "check/scenarios.hpp"
#include "check/scenarios/runtime_support.hpp"
#include "heddle/memory/segments.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"
#include "heddle/tensor/core.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kLarge = std::size_t{2} << 20;  // more than the rest of the first segment

// Two threads obtain segments within one budget and return them, while the device refuses one, or the host the memory
// to note it.
void two_threads_with_refused_segments() {
  const std::unique_ptr<Device> device = simulated_device();
  DevicePages pages(*device);
  Budget budget(4 * kPage);
  LimitedPages limited(pages, budget);
  {
    Segments segments(limited);
    const auto user = [&] {
      Span segment;
      with_memory([&] { segment = segments.obtain(2 * kPage, kPage); });
      if (segment.base == nullptr) return;
      heddle_check::require(budget.reserved() >= segment.bytes, "obtained memory is counted");
      segments.give_back(segment);
    };
    heddle_check::run_together({{"first", user}, {"second", user}});
    heddle_check::require(budget.reserved() == 0, "refused memory is not counted");
    Span kept;
    with_memory([&] { kept = segments.obtain(4 * kPage, kPage); });
    heddle_check::require(kept.base == nullptr || budget.reserved() == kept.bytes, "and kept memory is counted");
  }
  heddle_check::require(budget.reserved() == 0, "the end returns all of it");
}

// A thread obtains a segment, which the device may refuse at first, while another computes with memory from the depot,
// and may have its stream visited for the memory that the first lacks.
void a_refusal_beside_a_neighbor() {
  Runtime runtime(simulated());
  leave_memory_in_depot(runtime);
  heddle_check::Thread neighbor("neighbor", [&] {
    const Tensor x = full(runtime, {1}, 2.0f);
    heddle_check::require(x.item() == 2.0f, "the other thread reads what it wrote");
  });
  Buffer large = Buffer::create(runtime.core().pool(), runtime.core().memory(), kLarge);
  neighbor.join();
  heddle_check::require(runtime.core().memory().audit(), "no memory is lost or duplicated");
  large = {};
  runtime.release_cached();
  heddle_check::require(runtime.memory_statistics().reserved == 0, "refused memory is not counted");
  const ShutdownReport report = runtime.shutdown();
  heddle_check::require(report.complete && report.leaked_blocks == 0, "no block is left");
}

}  // namespace

void add_refused_memory(Scenarios& to) {
  to.push_back({.name = "refused_segments",
                .group = "memory",
                .threads = 2,
                .body = two_threads_with_refused_segments,
                .limits = {.allocation_failures = 1, .host_memory_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a segment that the device or the host refuses does not stay in the budget"});
  to.push_back({.name = "refused_memory",
                .group = "memory",
                .threads = 2,
                .body = a_refusal_beside_a_neighbor,
                .limits = {.allocation_failures = 2},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 5'000}},
                .claim = "the runtime survives a refused segment, and no other stream notices"});
}

}  // namespace heddle::check
