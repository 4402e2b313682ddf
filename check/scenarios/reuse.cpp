#include <optional>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/ops.hpp"
#include "heddle/runtime.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// A thread makes a tensor and hands it to another thread's stream. When that stream has recorded a read of it, the
// first thread drops the tensor and fills memory of the same size, while the other commits.
void memory_that_another_stream_reads() {
  Runtime runtime(simulated());
  sync::Mutex mutex{Rank::kLeaf};
  sync::ConditionVariable changed;
  std::optional<Tensor> shared;
  bool recorded = false;
  heddle_check::run_together({{"owner",
                               [&] {
                                 {
                                   const Tensor x = full(runtime, {1}, 2.0f);
                                   runtime.commit();
                                   sync::MutexLock lock(mutex);
                                   shared = x;
                                   changed.notify_all();
                                   while (!recorded) changed.wait(mutex);
                                 }
                                 const Tensor again = full(runtime, {1}, 3.0f);
                                 heddle_check::require(again.item() == 3.0f, "the owner reads what it wrote");
                               }},
                              {"reader", [&] {
                                 std::optional<Tensor> sum;
                                 {
                                   sync::MutexLock lock(mutex);
                                   while (!shared) changed.wait(mutex);
                                 }
                                 sum = add(*shared, *shared);
                                 shared.reset();
                                 {
                                   sync::MutexLock lock(mutex);
                                   recorded = true;
                                   changed.notify_all();
                                 }
                                 heddle_check::require(sum->item() == 4.0f,
                                                       "memory that is still read was not overwritten");
                               }}});
  const ShutdownReport report = runtime.shutdown();
  heddle_check::require(report.complete && report.leaked_blocks == 0, "no block is left");
}

}  // namespace

void add_reuse(Scenarios& to) {
  to.push_back({.name = "reuse_across_streams",
                .group = "memory",
                .threads = 2,
                .body = memory_that_another_stream_reads,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 5'000}},
                .claim = "memory that another stream reads is not reused before the read has run"});
}

}  // namespace heddle::check
