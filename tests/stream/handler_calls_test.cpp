// What a completion handler may do, what it may not, and that a refusal leaves everything usable.
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "heddle/stream/handler_thread.hpp"
#include "stream/sim_core.hpp"

namespace heddle {
namespace {

// Runs `body` in a handler of its own, and returns when that is over. False: it never ran, or threw.
bool in_handler(SimCore& sim, const std::function<void()>& body) {
  const auto ran = std::make_shared<sync::Atomic<bool>>(false);
  std::thread([&] {
    sim.on_complete([body, ran](const Status&) {
      body();
      ran->store(true);
    });
  }).join();
  return eventually([&] { return ran->load(); });
}

// C15: nothing is locked while a handler runs, so it may call back into everything that does not wait.
TEST(HandlerCalls, C15_AHandlerMayAllocateFreeRecordCommitRegisterAndTakeALease) {
  SimCore sim;
  Log log;
  Tensor outer = sim.submit(2.0f);
  sim.run_all();
  Tensor result;
  EXPECT_TRUE(in_handler(sim, [&] {
    const Lease lease = sim.lease();
    const Tensor scratch = full(sim, {1024}, 1.0f);
    result = add(outer, outer);
    outer = Tensor();  // frees
    sim.commit();
    EXPECT_TRUE(sim.try_commit());
    sim.on_complete(log.handler("inner"));
    EXPECT_FALSE(sim.query());
  }));
  EXPECT_TRUE(log.entries().empty()) << "its work has not run";
  sim.run_all();
  EXPECT_EQ(log.wait_for(1), std::vector<std::string>{"inner ok"});
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(result.to_host(), std::vector<float>(4, 4.0f));
}

TEST(HandlerCalls, C15_AHandlerMayEndALeaseOfAnotherThread) {
  SimCore sim(exactly(2));
  std::optional<Lease> lease(sim.lease());
  const Tensor x = full(sim, {4}, 3.0f);  // recorded on it, committed by its end
  const StreamId id = lease->id();
  EXPECT_TRUE(in_handler(sim, [&] { lease.reset(); }));
  EXPECT_NE(sim.stream(), id);
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(x.to_host(), std::vector<float>(4, 3.0f));
}

TEST(HandlerCalls, C19_SynchronizeIsRefusedAndWorksAfterwards) {
  SimCore sim;
  Tensor x;
  EXPECT_TRUE(in_handler(sim, [&] {
    x = full(sim, {4}, 5.0f);
    const std::string text = text_of<WouldBlock>([&] { sim.synchronize(); });
    EXPECT_TRUE(contains(text, "a completion handler")) << text;
    EXPECT_TRUE(contains(text, "Executor")) << "the remedy: " << text;
  }));
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(x.to_host(), std::vector<float>(4, 5.0f));
}

TEST(HandlerCalls, R08_SynchronizeInAHandlerNeverReturnsWithWorkUndone) {
  SimCore sim({}, {.auto_run = true});  // where a waiting thread runs the work itself, and could here as well
  EXPECT_TRUE(in_handler(sim, [&] {
    const Tensor x = full(sim, {4}, 1.0f);
    try {
      sim.synchronize();
      EXPECT_TRUE(sim.query());
    } catch (const WouldBlock&) {
    }
    EXPECT_NO_THROW(full(sim, {4}, 1.0f));
  }));
}

TEST(HandlerCalls, C20_WaitingForAnEventIsRefusedAndAPassedOneIsNot) {
  SimCore sim;
  const Tensor done = sim.submit();
  const Event passed = sim.record_event();
  sim.run_all();
  const Tensor x = sim.submit();
  const Event pending = sim.record_event();
  EXPECT_TRUE(in_handler(sim, [&] {
    EXPECT_NO_THROW(passed.wait());
    EXPECT_FALSE(pending.query());
    EXPECT_TRUE(contains(text_of<WouldBlock>([&] { pending.wait(); }), "waiting for a stream"));
    EXPECT_THROW(pending.wait_for(milliseconds(1)), WouldBlock);
    EXPECT_NO_THROW(sim.wait(pending)) << "the device waits, the thread does not";
    EXPECT_NO_THROW(sim.commit());
  }));
  sim.run_all();
  EXPECT_NO_THROW(pending.wait());
}

// C58: the refusal must come before the copy into the caller's memory is recorded: the device would write there later.
TEST(HandlerCalls, C58_ToHostIsRefusedBeforeItRecordsACopyIntoMemoryThatGoes) {
  SimCore sim;
  const Tensor x = sim.submit(6.0f);
  sim.run_all();
  EXPECT_TRUE(in_handler(sim, [&] {
    EXPECT_THROW(x.to_host(), WouldBlock);
    EXPECT_EQ(sim.pool()->totals().abandoned, 0u) << "something was recorded";
  }));
  sim.run_all();
  EXPECT_EQ(sim.core().device().executed()[static_cast<std::size_t>(KernelId::kCopyBytes)], 0u);
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(x.to_host(), std::vector<float>(4, 6.0f));
}

TEST(HandlerCalls, C58_ItemOfAFinishedTensorNeedsNoWaiting) {
  SimCore sim;
  const Tensor x = full(sim, {1}, 7.0f);
  sim.commit();
  sim.run_all();
  EXPECT_TRUE(in_handler(sim, [&] { EXPECT_EQ(x.item(), 7.0f); }));
  const Tensor y = full(sim, {1}, 8.0f);
  sim.commit();
  EXPECT_TRUE(in_handler(sim, [&] { EXPECT_THROW(y.item(), WouldBlock); }));
}

TEST(HandlerCalls, C19_ShutdownIsRefusedAndWorksAfterwards) {
  SimCore sim;
  EXPECT_TRUE(in_handler(sim, [&] {
    EXPECT_TRUE(contains(text_of<WouldBlock>([&] { sim.shutdown(); }), "shutting down"));
    EXPECT_NO_THROW(full(sim, {4}, 1.0f)) << "the runtime is as open as before";
  }));
  const DeviceRunner runner(sim.device());
  EXPECT_TRUE(sim.shutdown().complete);
}

TEST(HandlerCalls, C16_AFullPoolIsRefusedAndServesTheHandlerLater) {
  SimCore sim(exactly(1));
  std::optional<Lease> only(sim.lease());
  std::uint64_t refused = 0;
  sim.on_complete([&](const Status&) {
    const std::string text = text_of<WouldBlock>([&] { full(sim, {4}, 1.0f); });
    EXPECT_TRUE(contains(text, "taking a stream while none is free")) << text;
    EXPECT_THROW(sim.lease(), WouldBlock);
    ++refused;
  });
  ASSERT_TRUE(sim.handlers_settle());
  EXPECT_EQ(refused, 1u);
  EXPECT_EQ(sim.handlers().failed, 0u);
  EXPECT_TRUE(contains(sim.pool()->holders(), "stream 1"));
  only.reset();
  std::uint64_t served = 0;
  sim.on_complete([&](const Status&) {
    full(sim, {4}, 1.0f);
    ++served;
  });
  ASSERT_TRUE(sim.handlers_settle());
  EXPECT_EQ(served, 1u);
}

TEST(HandlerCalls, C16_AFullBoundOfCommittedListsIsRefusedAndNothingIsLost) {
  CoreOptions options;
  options.limits.committed_lists_max = 2;
  SimCore sim(options);
  std::vector<Tensor> kept;
  EXPECT_TRUE(in_handler(sim, [&] {
    for (int i = 0; i < 2; ++i) {
      kept.push_back(full(sim, {4}, static_cast<float>(i)));
      sim.commit();
    }
    kept.push_back(full(sim, {4}, 2.0f));
    EXPECT_FALSE(sim.try_commit());
    EXPECT_THROW(sim.commit(), WouldBlock);
    EXPECT_THROW(sim.on_complete([](const Status&) {}), WouldBlock);
    EXPECT_THROW(sim.record_event(), WouldBlock);
  }));
  EXPECT_EQ(sim.handlers().registered, 1u) << "a refused registration is not counted";
  sim.run_all();
  EXPECT_TRUE(in_handler(sim, [&] { EXPECT_NO_THROW(sim.commit()); }));
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(kept.back().to_host(), std::vector<float>(4, 2.0f)) << "what was recorded before the refusal ran";
}

// An operation that is recorded must not say that it failed: its caller would record it again.
TEST(HandlerCalls, C25_AFullListIsNotRefusedBehindTheCommandThatFilledIt) {
  CoreOptions options;
  options.limits.committed_lists_max = 1;
  options.limits.list_commands_max = 2;
  SimCore sim(options);
  Tensor last;
  EXPECT_TRUE(in_handler(sim, [&] {
    sim.submit();
    for (int i = 0; i < 5; ++i) EXPECT_NO_THROW(last = full(sim, {4}, static_cast<float>(i))) << i;
    EXPECT_THROW(sim.commit(), WouldBlock);
    sim.run_all();
    EXPECT_NO_THROW(last = full(sim, {4}, 5.0f)) << "there is room again: it commits";
    EXPECT_TRUE(sim.try_commit());
  }));
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(last.to_host(), std::vector<float>(4, 5.0f));
}

// C17: the handler asks for memory while a thread waits for memory that only the device can set free.
TEST(HandlerCalls, C17_AHandlerAllocatesWhileAThreadWaitsForMemory) {
  CoreOptions options;
  options.memory.limit = 64 << 10;
  SimCore sim(options);
  constexpr std::int64_t kHalf = (32 << 10) / sizeof(float);
  std::latch waits(1);
  std::thread hungry([&] {
    sim.submit();
    const StreamId held_by = sim.stream();
    {
      const Tensor held = full(sim, {kHalf}, 1.0f);
    }
    sim.commit();
    std::thread([&] {
      EXPECT_NE(sim.stream(), held_by);
      waits.count_down();
      EXPECT_NO_THROW(full(sim, {kHalf}, 2.0f));  // there is room once held_by is done
    }).join();
  });
  waits.wait();
  std::uint64_t out_of_memory = 0;
  EXPECT_TRUE(in_handler(sim, [&] {
    try {
      full(sim, {kHalf}, 1.0f);  // must not wait
    } catch (const OutOfMemory&) {
      ++out_of_memory;
    }
    EXPECT_NO_THROW(full(sim, {4}, 1.0f));
  }));
  EXPECT_EQ(out_of_memory, 1u);
  const DeviceRunner runner(sim.device());
  hungry.join();
}

TEST(HandlerCalls, C28_AHandlerRecordsOnItsOwnThreadsStreamNotOnTheOneItWasRegisteredFor) {
  SimCore sim;
  StreamId inside{99};
  const StreamId own = sim.stream();
  sim.on_complete([&](const Status&) { inside = sim.stream(); });
  ASSERT_TRUE(sim.handlers_settle());
  EXPECT_NE(inside, own);
  EXPECT_EQ(sim.stream(), own);
}

// C25: commit, event and registration in the middle of what a handler records.
TEST(HandlerCalls, C25_EventsAndCommitsBetweenOperationsKeepTheirPlaces) {
  SimCore sim;
  Log log;
  Tensor first, second;
  Event between;
  EXPECT_TRUE(in_handler(sim, [&] {
    first = full(sim, {4}, 1.0f);
    between = sim.record_event();
    sim.on_complete(log.handler("between"));
    second = add(first, first);
    sim.on_complete(log.handler("end"));
  }));
  ASSERT_TRUE(sim.device().step());
  EXPECT_TRUE(between.query());
  EXPECT_EQ(log.wait_for(1), std::vector<std::string>{"between ok"});
  ASSERT_TRUE(sim.device().step());
  EXPECT_EQ(log.wait_for(2).back(), "end ok");
  EXPECT_FALSE(sim.device().step());
}

}  // namespace
}  // namespace heddle
