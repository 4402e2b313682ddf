// Explicit leases: whose thread records, how one moves, and what becomes of it at every end.
#include "heddle/stream.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

const Status kBoom(ErrorKind::kDeviceError, "boom");

TEST(Leases, MoveBetweenThreadsByDetachAndAttach) {
  SimCore sim;
  Lease lease = sim.lease();
  const StreamId id = lease.id();
  const Tensor x = full(sim, {4}, 2.0f);
  lease.detach();
  EXPECT_NE(sim.stream(), id) << "the thread goes on with the one it had before";
  Tensor y;
  std::thread([&] {
    lease.attach();
    EXPECT_EQ(sim.stream(), id);
    y = add(x, x);  // same stream: no wait, no NotCommitted
    EXPECT_EQ(lease.record_event().ticket(), Ticket{2});
    lease.detach();
  }).join();
  lease.attach();
  EXPECT_EQ(sim.stream(), id);
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(y.to_host(), std::vector<float>(4, 4.0f));
}

TEST(Leases, C34_TheWrongThreadIsRefusedAndToldWhatToDo) {
  SimCore sim;
  Lease lease = sim.lease();
  const std::string holder = "thread " + std::to_string(sync::this_thread_id());
  const Event event;
  std::thread([&] {
    const std::vector<std::function<void()>> calls = {[&] { lease.commit(); },
                                                      [&] { lease.try_commit(); },
                                                      [&] { lease.synchronize(); },
                                                      [&] { lease.query(); },
                                                      [&] { lease.record_event(); },
                                                      [&] { lease.wait(event); },
                                                      [&] { lease.on_complete([](const Status&) {}); },
                                                      [&] { lease.detach(); },
                                                      [&] { lease.native_handle(); }};
    for (const auto& call : calls) {
      const std::string text = text_of<InvalidArgument>(call);
      EXPECT_TRUE(contains(text, holder)) << text;
      EXPECT_TRUE(contains(text, "detach() it there and attach() it here")) << text;
    }
    const std::string text = text_of<InvalidArgument>([&] { lease.attach(); });
    EXPECT_TRUE(contains(text, holder)) << text;
    EXPECT_TRUE(contains(text, "detach() it there")) << text;
  }).join();
  EXPECT_EQ(sim.handlers().registered, 0u);
  EXPECT_EQ(sim.stream(), lease.id()) << "still this thread's";
}

TEST(Leases, ADetachedOneIsRefusedAndSaysAttach) {
  SimCore sim;
  Lease lease = sim.lease();
  lease.detach();
  EXPECT_TRUE(contains(text_of<InvalidArgument>([&] { lease.commit(); }), "call attach() first"));
  EXPECT_THROW(lease.detach(), InvalidArgument);
  lease.attach();
  EXPECT_THROW(lease.attach(), InvalidArgument) << "it is attached already";
  EXPECT_NO_THROW(lease.commit());
}

TEST(Leases, AMovedFromOneIsRefused) {
  SimCore sim;
  Lease lease = sim.lease();
  const Lease other = std::move(lease);
  EXPECT_TRUE(contains(text_of<InvalidArgument>([&] { lease.commit(); }), "moved from"));  // NOLINT: that is the test
  EXPECT_THROW(lease.attach(), InvalidArgument);                                           // NOLINT
}

TEST(Leases, AssignmentEndsTheOneThatWasThere) {
  SimCore sim(exactly(2));
  Lease a = sim.lease();
  const StreamId first = a.id();
  Lease b = sim.lease();
  a = std::move(b);
  EXPECT_NE(a.id(), first);
  EXPECT_EQ(sim.stream(), a.id());
  const Lease c = sim.lease();
  EXPECT_EQ(c.id(), first) << "given back";
}

TEST(Leases, NestedOnesRecordOnTheInnermostAndTheOuterComesBack) {
  SimCore sim;
  const StreamId own = sim.stream();
  Lease outer = sim.lease();
  {
    Lease middle = sim.lease();
    const Lease inner = sim.lease();
    EXPECT_EQ(sim.stream(), inner.id());
    middle.detach();  // not the newest
    EXPECT_EQ(sim.stream(), inner.id());
  }
  EXPECT_EQ(sim.stream(), outer.id());
  outer.detach();
  EXPECT_EQ(sim.stream(), own);
}

TEST(Leases, C35_TheNextHolderGetsAnIdleStreamWithoutThePreviousError) {
  SimCore sim(exactly(1));
  Tensor x;
  std::thread([&] {
    const Lease lease = sim.lease();
    sim.device().fail_execution(lease.id(), Ticket{1}, kBoom);
    x = full(sim, {4}, 1.0f);  // recorded, not committed: the lease's end commits it
  }).join();
  const DeviceRunner runner(sim.device());
  std::thread([&] {
    Lease lease = sim.lease();  // waits until the stream is idle
    EXPECT_TRUE(lease.query());
    EXPECT_EQ(sim.pool()->totals().completed, 1u);
    EXPECT_NO_THROW(lease.synchronize());
    EXPECT_EQ(full(sim, {4}, 2.0f).to_host(), std::vector<float>(4, 2.0f));
    EXPECT_THROW(x.to_host(), DeviceError) << "what failed stays failed";
  }).join();
}

TEST(Leases, C30_AFailureToTakeOneLeavesTheThreadAsItWas) {
  SimCore sim(exactly(1, ExhaustionPolicy::kFail));
  const StreamId own = sim.stream();
  std::optional<Lease> only(sim.lease());
  for (int i = 0; i < 5; ++i) {
    const std::string text = text_of<PoolExhausted>([&] { sim.lease(); });
    EXPECT_TRUE(contains(text, "held: stream 0 by thread " + std::to_string(sync::this_thread_id()) + " (implicit)"))
        << text;
    EXPECT_TRUE(contains(text, "stream 1 by thread " + std::to_string(sync::this_thread_id()) + ";")) << text;
    EXPECT_TRUE(contains(text, "streams_max (1)")) << text;
    EXPECT_EQ(sim.stream(), only->id());
  }
  only.reset();
  EXPECT_EQ(sim.stream(), own);
  EXPECT_NO_THROW(sim.lease());
}

TEST(Leases, C31_AStreamThatTheDeviceRefusedIsNotLostToThePool) {
  SimCore sim(exactly(1));
  sim.device().fail_queue(kBoom);
  EXPECT_THROW(sim.lease(), DeviceError);
  const Lease lease = sim.lease();
  EXPECT_EQ(lease.id(), StreamId{1});
}

TEST(Leases, C31_ComingAndGoingLeavesNothingBehind) {
  SimCore sim(exactly(2));
  const DeviceRunner runner(sim.device());
  for (int i = 0; i < 200; ++i) {
    std::thread([&] {
      Lease lease = sim.lease();
      const Tensor x = full(sim, {256}, 1.0f);
      if (i % 3 == 0) lease.detach();
    }).join();
  }
  EXPECT_LE(sim.pool()->lanes(), 3u) << "stream 0, and two";
  EXPECT_EQ(sim.core().memory().statistics().live_blocks, 0u);
  EXPECT_FALSE(contains(sim.pool()->holders(), ",")) << "only this thread's own: " << sim.pool()->holders();
}

TEST(Leases, C24_EndingOnAnotherThreadWaitsForTheOperationThatIsUnderWay) {
  SimCore sim;
  std::optional<Lease> lease;
  std::latch taken(1);
  sync::Atomic<bool> ended{false};
  std::thread holder([&] {
    lease.emplace(sim.lease());
    const Tensor x = full(sim, {4}, 1.0f);
    sim.commit();
    taken.count_down();
    sim.synchronize();  // inside the operation until the device has run it
    EXPECT_FALSE(sim.device().step());
    while (!ended.load()) std::this_thread::yield();
    EXPECT_NO_THROW(full(sim, {4}, 2.0f)) << "an empty shell is passed over";
  });
  taken.wait();
  std::thread ender([&] {
    lease.reset();
    ended.store(true);
  });
  sim.run_all();
  ender.join();
  holder.join();
}

TEST(Leases, EndingOnAnotherThreadCommitsWhatWasRecorded) {
  SimCore sim;
  std::optional<Lease> lease(sim.lease());
  const Tensor x = full(sim, {4}, 5.0f);
  std::thread([&] { lease.reset(); }).join();
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(x.to_host(), std::vector<float>(4, 5.0f));
}

// R06: a use that its stream has not committed keeps a freed block, and lets go of it when that thread goes on or ends.
TEST(Leases, R06_AnUncommittedUseOfAFreedBlockHoldsItAndThenLetsGo) {
  for (const bool consumer_commits : {true, false}) {
    SimCore sim;
    Tensor x = full(sim, {1024}, 7.0f);
    sim.commit();
    sim.run_all();
    std::latch used(1), go(1);
    Tensor y;
    std::thread consumer([&] {
      y = copy(x);  // recorded, not committed
      used.count_down();
      go.wait();  // asleep
      if (consumer_commits) sim.commit();
    });
    used.wait();
    const void* address = x.data();
    x = Tensor();
    EXPECT_GT(sim.core().memory().statistics().pending, 0u);
    for (int i = 0; i < 8; ++i) {
      const Tensor scratch = full(sim, {1024}, -1.0f);
      EXPECT_NE(scratch.data(), address) << "given out while a recorded command reads it";
    }
    go.count_down();
    consumer.join();
    sim.run_all();
    sim.core().memory().release_cached();
    EXPECT_EQ(sim.core().memory().statistics().pending, 0u) << "stuck";
    const DeviceRunner runner(sim.device());
    EXPECT_EQ(y.to_host(), std::vector<float>(1024, 7.0f));
  }
}

// R05: the block was used once, then again by the same stream; the later use counts.
TEST(Leases, R05_ALaterUseByTheSameStreamCounts) {
  SimCore sim;
  Tensor x = full(sim, {1024}, 7.0f);
  sim.commit();
  sim.run_all();
  Lease other = sim.lease();
  const Tensor first = copy(x);
  other.commit();
  const Tensor second = copy(x);
  other.commit();
  x = Tensor();
  ASSERT_TRUE(sim.device().step());
  sim.core().memory().release_cached();
  EXPECT_GT(sim.core().memory().statistics().pending, 0u) << "the second use is still to come";
  ASSERT_TRUE(sim.device().step());
  sim.core().memory().release_cached();
  EXPECT_EQ(sim.core().memory().statistics().pending, 0u);
}

// The thread of the lease waits for room among its handlers; the handler that is to make room ends the lease.
TEST(Leases, C20_EndingInAHandlerDoesNotWaitForTheThread) {
  Options options;
  options.limits.handlers_max = 1;
  Runtime runtime(options);
  std::latch registers(1);
  std::thread([&] {
    auto lease = std::make_unique<Lease>(runtime.lease());
    Lease& held = *lease;
    const StreamId id = held.id();
    held.on_complete([&](const Status&) {
      registers.wait();
      while (!runtime.handler_statistics().registered) sync::yield();
      lease.reset();
    });
    registers.count_down();
    runtime.on_complete([](const Status&) {});
    EXPECT_EQ(runtime.stream().id(), id) << "the thread keeps it";
    EXPECT_EQ(full(runtime, {1}, 2.0f).item(), 2.0f);
  }).join();
  const std::size_t streams = runtime.streams();
  std::thread([&] { EXPECT_EQ(full(runtime, {1}, 3.0f).item(), 3.0f); }).join();
  EXPECT_EQ(runtime.streams(), streams) << "the stream came back when its thread ended";
  EXPECT_TRUE(runtime.shutdown().complete);
}

TEST(Leases, C25_EndingInACustomOperationOnTheThreadThatIsInsideIt) {
  Runtime runtime;
  std::thread([&] {
    std::optional<Lease> lease(runtime.lease());
    const StreamId id = lease->id();
    custom(runtime, "ends its lease", {}, {}, [&](const CustomCall&) { lease.reset(); });
    runtime.synchronize();  // runs it here
    EXPECT_FALSE(lease.has_value());
    EXPECT_EQ(runtime.stream().id(), id) << "the thread keeps it";
    EXPECT_EQ(full(runtime, {1}, 2.0f).item(), 2.0f);
  }).join();
  EXPECT_EQ(runtime.streams(), 1u);
  std::thread([&] { EXPECT_EQ(full(runtime, {1}, 3.0f).item(), 3.0f); }).join();
  EXPECT_EQ(runtime.streams(), 1u) << "the stream came back when its thread ended";
}

TEST(Leases, C25_ACustomOperationMayNotUseOrTakeOne) {
  Runtime runtime;
  Lease lease = runtime.lease();
  int refused = 0;
  const auto refuse = [&](const std::function<void()>& call) {
    refused += contains(text_of<InvalidArgument>(call), "a custom operation tried to record") ? 1 : 0;
  };
  custom(runtime, "uses leases", {}, {}, [&](const CustomCall&) {
    refuse([&] { lease.commit(); });
    refuse([&] { lease.synchronize(); });
    refuse([&] { lease.record_event(); });
    refuse([&] { lease.detach(); });
    refuse([&] { runtime.lease(); });
  });
  lease.synchronize();
  EXPECT_EQ(refused, 5);
}

}  // namespace
}  // namespace heddle
