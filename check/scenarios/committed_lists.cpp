#include <array>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/base/pool_limits.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kLists = 3;

class TellsLane final : public CompletionListener {
 public:
  void on_progress(Queue& queue) noexcept override { static_cast<Lane*>(queue.owner())->on_progress(); }
};

// A thread commits lists, of which one may be unfinished, as fast as the device completes them.
void lists_at_the_bound() {
  TellsLane listener;
  sim::SimDevice device({.auto_run = false});
  device.set_listener(&listener);
  PoolLimits limits;
  limits.committed_lists_max = 1;
  Lane lane(StreamId{1}, device, make_queue(device), limits, WaitPolicy::kBlock);
  std::array<float, kLists> cells{};
  const auto unfinished = [&] { return lane.committed().value - lane.completed().value; };
  heddle_check::run_together({{"recorder",
                               [&] {
                                 for (float& cell : cells) {
                                   lane.append(KernelId::kFill, FillArgs{&cell, 1, 0x3F800000});  // 1.0
                                   const Ticket before = lane.committed();
                                   const bool done = lane.try_commit();
                                   heddle_check::require(done || lane.committed() == before,
                                                         "try_commit() did all or nothing");
                                   lane.commit();
                                   heddle_check::require(lane.committed() == lane.issued(), "everything is committed");
                                   heddle_check::require(unfinished() <= 1, "the device has at most one list");
                                 }
                               }},
                              {"device", [&] {
                                 for (std::size_t lists = 0; lists < kLists;) {
                                   if (device.step()) {
                                     ++lists;
                                   } else {
                                     sync::yield();
                                   }
                                 }
                               }}});
  for (const float cell : cells) heddle_check::require(cell == 1.0f, "every list ran");
}

}  // namespace

void add_committed_lists(Scenarios& to) {
  to.push_back({.name = "committed_lists",
                .group = "ticket",
                .threads = 2,
                .body = lists_at_the_bound,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "the unfinished lists of a stream are bounded, and a thread that waits for room gets it"});
}

}  // namespace heddle::check
