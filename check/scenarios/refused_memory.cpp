// Memory that the device refuses: at the page sources, and for a whole runtime.
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
constexpr std::size_t kLarge = std::size_t{2} << 20;  // more than is left of the first segment

// Two threads obtain segments of one budget and give them back, while the device refuses one, or the host a place to
// note it.
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
      heddle_check::require(budget.reserved() >= segment.bytes, "what is obtained is counted");
      segments.give_back(segment);
    };
    heddle_check::run_together({{"first", user}, {"second", user}});
    heddle_check::require(budget.reserved() == 0, "what was refused is not counted as obtained");
    Span kept;
    with_memory([&] { kept = segments.obtain(4 * kPage, kPage); });
    heddle_check::require(kept.base == nullptr || budget.reserved() == kept.bytes, "and what is kept is");
  }
  heddle_check::require(budget.reserved() == 0, "the end gives all of it back");
}

// A thread obtains a segment, which the device may refuse at first, while another computes with memory of the depot,
// and may find its stream visited for what the first lacks.
void a_refusal_beside_a_neighbour() {
  Runtime runtime(simulated());
  leave_memory_in_depot(runtime);
  heddle_check::Thread neighbour("neighbour", [&] {
    const Tensor x = full(runtime, {1}, 2.0f);
    heddle_check::require(x.item() == 2.0f, "the neighbour reads what it wrote");
  });
  Buffer large = Buffer::create(runtime.core().pool(), runtime.core().memory(), kLarge);
  neighbour.join();
  heddle_check::require(runtime.core().memory().audit(), "no memory was lost, none is there twice");
  large = {};
  runtime.release_cached();
  heddle_check::require(runtime.memory_statistics().reserved == 0, "what was refused is not counted as obtained");
  const ShutdownReport report = runtime.shutdown();
  heddle_check::require(report.complete && report.leaked_blocks == 0, "nothing is left");
}

}  // namespace

void add_refused_memory(Scenarios& to) {
  to.push_back({.name = "refused_segments",
                .group = "memory",
                .threads = 2,
                .body = two_threads_with_refused_segments,
                .limits = {.allocation_failures = 1, .host_memory_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a segment that the device refuses, or the host, leaves nothing behind in the budget"});
  to.push_back({.name = "refused_memory",
                .group = "memory",
                .threads = 2,
                .body = a_refusal_beside_a_neighbour,
                .limits = {.allocation_failures = 2},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 5'000}},
                .claim = "a refused segment is got over, and disturbs no other stream"});
}

}  // namespace heddle::check
