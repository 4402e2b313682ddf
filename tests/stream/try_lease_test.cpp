// Leases that are tried for, and threads that would wait for themselves.
#include <gtest/gtest.h>

#include <chrono>
#include <latch>
#include <optional>
#include <thread>

#include "heddle/heddle.hpp"
#include "heddle/stream.hpp"
#include "stream/sim_core.hpp"

namespace heddle {
namespace {

TEST(Leases, TryLeaseNeverWaits) {
  CoreOptions options = exactly(1);
  options.limits.lease_wait_max = milliseconds(20);
  SimCore sim(options);
  std::optional<Lease> held;
  std::thread([&] {
    held = sim.try_lease();
    ASSERT_TRUE(held.has_value());
    EXPECT_EQ(sim.stream(), held->id());
    held->detach();
  }).join();
  std::thread([&] {
    EXPECT_FALSE(sim.try_lease().has_value());
    EXPECT_THROW(Recording{sim.pool()}, PoolExhausted) << "the thread has no lease that it could not take";
  }).join();
  held.reset();
  std::thread([&] { EXPECT_TRUE(sim.try_lease().has_value()); }).join();
}

TEST(Leases, TryLeaseInAHandlerReturnsNoneWhereLeaseWouldThrow) {
  SimCore sim(exactly(1), {.auto_run = true});
  std::thread([&] {
    const Lease lease = sim.lease();
    std::latch done(1);
    sim.on_complete([&](const Status&) {
      EXPECT_THROW(sim.lease(), WouldBlock);
      EXPECT_FALSE(sim.try_lease().has_value());
      done.count_down();
    });
    done.wait();
  }).join();
}

TEST(Leases, CallsThatTryDoNotWaitForAStream) {
  Options options;
  options.streams = options.streams_max = 1;
  Runtime runtime(options);
  std::optional<Lease> held;
  std::thread([&] {
    held = runtime.lease();
    held->detach();
  }).join();
  std::thread([&] {  // each throws PoolExhausted after 30 s where it waits
    EXPECT_TRUE(runtime.try_commit());
    EXPECT_TRUE(runtime.query());
    EXPECT_FALSE(runtime.try_on_complete([](const Status&) {}));
  })
      .join();
}

// C22: a thread that holds every stream itself would wait for itself.
TEST(Leases, C22_AThreadThatHoldsEveryStreamDoesNotWaitForAnother) {
  SimCore sim(exactly(2));
  std::thread([&] {
    const Lease first = sim.lease();
    const Lease second = sim.lease();
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(contains(text_of<PoolExhausted>([&] { sim.lease(); }), "this thread holds every stream itself"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10)) << "lease_wait_max is 30 s";
  }).join();
}

// The same of the main thread, which has stream 0 without a lease.
TEST(Leases, C22_TheMainThreadThatHoldsEveryStreamDoesNotWaitForAnother) {
  Options options;
  options.streams = options.streams_max = 1;
  Runtime runtime(options);
  full(runtime, {4}, 1.0F);
  const Lease first = runtime.lease();
  EXPECT_TRUE(contains(text_of<PoolExhausted>([&] { runtime.lease(); }), "this thread holds every stream itself"));
}

}  // namespace
}  // namespace heddle
