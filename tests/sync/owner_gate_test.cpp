#include "heddle/sync/owner_gate.hpp"

#include <gtest/gtest.h>

#include "heddle/sync/mutex.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle {
namespace {

TEST(OwnerGate, AClaimKeepsTheOwnerOut) {
  sync::OwnerGate gate;
  EXPECT_TRUE(gate.try_enter());
  gate.announce();
  EXPECT_TRUE(gate.owner_inside());
  gate.withdraw();
  gate.leave();
  gate.announce();
  EXPECT_FALSE(gate.owner_inside());
  EXPECT_FALSE(gate.try_enter());
  gate.withdraw();
  EXPECT_TRUE(gate.try_enter());
  gate.leave();
}

// The guarded counter is plain: an overlap loses counts here, and is reported by ThreadSanitizer.
TEST(OwnerGate, OwnerAndClaimersNeverOverlap) {
  ASSERT_NE(sync::asymmetric_fence_mode(), sync::FenceMode::kUnknown);
  sync::OwnerGate gate;
  sync::Mutex claimers(Rank::kLeaf);
  long counter = 0;
  long expected = 0;
  sync::Atomic<bool> stop{false};
  sync::Atomic<long> claims{0};
  std::vector<sync::Thread> threads;
  threads.reserve(2);
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back("claimer", [&] {
      while (!stop.load()) {
        sync::MutexLock lock(claimers);
        gate.announce();
        sync::asymmetric_fence_heavy();
        if (!gate.owner_inside()) {
          ++counter;
          claims.fetch_add(1);
        }
        gate.withdraw();
      }
    });
  }
  for (long done = 0; done < 200000;) {
    if (!gate.try_enter()) continue;
    ++counter;
    ++expected;
    ++done;
    gate.leave();
  }
  stop.store(true);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter, expected + claims.load());
}

}  // namespace
}  // namespace heddle
