// Threads that find no memory, and the one among them that reclaims it for all.
#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/memory/buffer.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kHalf = std::size_t{2} << 20;

// All memory lies free in the heap of an idle stream, and two threads want one half each. The thread that empties that
// heap finds both halves, so neither has to wait for the device, which would commit what was recorded.
void two_threads_without_memory() {
  PoolLimits limits;
  limits.streams = limits.streams_max = 2;
  const std::shared_ptr<Device> device = simulated_device();
  const auto pool = std::make_shared<LanePool>(device, limits, WaitPolicy::kBlock, ExhaustionPolicy::kGrowThenWait);
  DevicePages pages(*device);
  DeviceMemory memory(pages, *pool, {.limit = 2 * kHalf});
  static_cast<void>(Buffer::create(pool, memory, 2 * kHalf));
  Buffer halves[2];
  const auto user = [&](Buffer& half) {
    Recording(pool).lane().append(KernelId::kFill, FillArgs{nullptr, 0, 0});
    half = Buffer::create(pool, memory, kHalf);
    heddle_check::require(Recording(pool).lane().committed().value == 0, "recorded work is still uncommitted");
  };
  heddle_check::run_together({{"first", [&] { user(halves[0]); }}, {"second", [&] { user(halves[1]); }}});
  for (Buffer& half : halves) half = {};
  heddle_check::require(pool->close(sync::Deadline::never()), "everything was done");
  pool->stop_handlers(sync::Deadline::never());
  heddle_check::require(memory.audit(), "no memory is lost or duplicated");
}

}  // namespace

void add_reclaim(Scenarios& to) {
  to.push_back({.name = "reclaim_together",
                .group = "memory",
                .threads = 2,
                .body = two_threads_without_memory,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "of two threads that find no memory, one empties idle heaps, which serves both"});
}

}  // namespace heddle::check
