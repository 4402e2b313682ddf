#include "heddle/memory/buffer.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

#include "heddle/tensor/tensor_access.hpp"
#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

TEST(Buffer, SharesAndGivesBackOnce) {
  TestMemory test;
  Buffer a = test.make(1000);
  const Buffer b = a;
  Buffer c = std::move(a);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(b.data(), c.data());
  c = {};
  EXPECT_EQ(test.statistics().live_blocks, 1u);
  c = b;
  EXPECT_EQ(test.statistics().live_blocks, 1u);
  const void* address = b.data();
  {
    const Buffer other = test.make(1000);
    EXPECT_NE(other.data(), address);
  }
}

TEST(Buffer, TheLastOfManyThreadsGivesItBack) {
  TestMemory test;
  for (int round = 0; round < 100; ++round) {
    const Buffer own = test.make(100);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([copy = own]() mutable {
        Buffer another = copy;
        copy = {};
        another = {};
      });
    }
    for (auto& thread : threads) thread.join();
  }
  EXPECT_EQ(test.statistics().live_blocks, 0u);
}

// Weights: read by many streams; reading leaves no note, and the free takes every stream to have read.
TEST(Buffer, ASharedConstantIsReadWithoutANoteAndFreedSafely) {
  TestMemory test;
  Buffer weights = test.make(1000);
  DeviceMemory::make_shared_constant(weights.block());
  std::vector<Lease> leases;
  for (int i = 0; i < 3; ++i) {
    leases.push_back(test.sim().lease());
    test.use(weights);
    test.commit();
  }
  leases.clear();
  weights = {};
  test.memory().release_cached();
  EXPECT_EQ(test.statistics().pending, 1024u) << "three streams may be reading";
  test.run_all();
  test.memory().release_cached();
  EXPECT_EQ(test.statistics().pending, 0u);
  EXPECT_FALSE(test.make(1000).block().is_shared_constant) << "the mark ends with the block";
}

TEST(Buffer, ATensorMayBeMadeASharedConstant) {
  SimCore sim;
  const DeviceRunner runner(sim.device());
  const Tensor weights = full(sim, {100}, 2.0f);
  weights.make_shared_constant();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) EXPECT_EQ(add(weights, weights).to_host(), std::vector<float>(100, 4.0f));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_FALSE(residency_of(weights).last_write().lane != nullptr);
  EXPECT_THROW(Tensor().make_shared_constant(), InvalidArgument);
}

}  // namespace
}  // namespace heddle
