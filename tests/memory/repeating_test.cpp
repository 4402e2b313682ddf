// Addresses repeat: what replay lives on.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <latch>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

TEST(Repeating, BalancedLoopsGetTheSameAddressesFromTheThirdRoundOn) {
  TestMemory test({.limit = std::size_t{8} << 30});
  std::mt19937 random(1);
  for (const std::size_t bytes :
       {std::size_t{512}, std::size_t{256} << 10, std::size_t{4} << 20, std::size_t{64} << 20}) {
    std::vector<void*> third;
    for (int round = 1; round <= 10; ++round) {
      std::vector<Buffer> blocks;
      for (int i = 0; i < 12; ++i) {
        blocks.push_back(test.make(bytes));
        test.work();
      }
      std::vector<void*> addresses;
      for (const Buffer& block : blocks) addresses.push_back(block.data());
      if (round == 3) third = addresses;
      if (round > 3) {
        ASSERT_EQ(addresses, third) << bytes << " bytes, round " << round;
      }
      std::shuffle(blocks.begin(), blocks.end(), random);
      blocks.clear();
      test.commit();
      test.run_all();
    }
  }
}

// One block at a time of each size class: its runs are empty whenever another class wants memory.
TEST(Repeating, SizesThatTakeTurnsKeepTheirAddresses) {
  TestMemory test({.limit = std::size_t{8} << 30});
  std::vector<void*> third;
  for (int round = 1; round <= 20; ++round) {
    std::vector<void*> addresses;
    for (std::size_t index = 0; index < kSizeClasses; ++index) {
      addresses.push_back(test.make(class_bytes(index)).data());
    }
    test.work();
    test.commit();
    test.run_all();
    if (round == 3) third = addresses;
    EXPECT_TRUE(round < 3 || addresses == third) << "round " << round;
  }
}

// Rounds of two phases, each given back before the next begins: what one leaves empty stays its own.
TEST(Repeating, PhasesOfARoundKeepTheirAddresses) {
  struct Phase {
    int many;
    std::size_t bytes;
  };
  constexpr std::size_t kKiB = 1024;
  constexpr std::size_t kGiB = std::size_t{1} << 30;
  const auto addresses = [](TestMemory& test, const Phase& phase) {
    std::vector<Buffer> blocks;
    std::vector<void*> at;
    for (int i = 0; i < phase.many; ++i) {
      blocks.push_back(test.make(phase.bytes));
      at.push_back(blocks.back().data());
    }
    return at;
  };
  struct Loop {
    std::size_t limit;
    std::uint32_t streams;
    Phase first, second;
  };
  for (const Loop& loop :
       {Loop{kGiB / 16, 1, {40, 256 * kKiB}, {44, 224 * kKiB}}, Loop{8 * kGiB, 1, {120, 512 * kKiB}, {20, 4096 * kKiB}},
        Loop{8 * kGiB, 1, {80, 1024 * kKiB}, {90, 896 * kKiB}},
        Loop{4 * kGiB, 4, {80, 1024 * kKiB}, {90, 896 * kKiB}}}) {
    TestMemory test({.limit = loop.limit});
    const DeviceRunner runner(test.sim().device());
    std::vector<std::thread> threads;
    for (std::uint32_t stream = 0; stream < loop.streams; ++stream) {
      threads.emplace_back([&] {
        std::vector<void*> third;
        for (int round = 1; round <= 100; ++round) {
          std::vector<void*> all = addresses(test, loop.first);
          const std::vector<void*> second = addresses(test, loop.second);
          all.insert(all.end(), second.begin(), second.end());
          if (round == 3) third = all;
          EXPECT_TRUE(round < 3 || all == third) << "round " << round;
          test.work();
          test.commit();
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
}

// Sizes mixed in one loop, frees shuffled, and a foreign thread that frees some of them.
TEST(Repeating, MixedSizesRepeatToo) {
  TestMemory test({.limit = std::size_t{8} << 30});
  std::mt19937 random(2);
  std::vector<void*> third;
  for (int round = 1; round <= 20; ++round) {
    std::vector<Buffer> blocks;
    for (int i = 0; i < 30; ++i) blocks.push_back(test.make(std::size_t{300} << (i % 16)));
    std::vector<void*> addresses;
    for (const Buffer& block : blocks) addresses.push_back(block.data());
    if (round == 3) third = addresses;
    if (round > 3) {
      ASSERT_EQ(addresses, third) << "round " << round;
    }
    std::shuffle(blocks.begin(), blocks.end(), random);
    blocks.clear();
  }
}

// Many serving threads: copy in, four operations, copy out; the results are dropped by completion handlers, at times
// that have nothing to do with the loop. Once the loop has been round for a while, at least 95 % of the lists of
// addresses were there before.
TEST(Repeating, AServingLoopRecordsTheSameListsWhateverBecomesOfItsResults) {
  constexpr int kThreads = 32;
  constexpr int kRoundsBefore = 500;
  constexpr int kRounds = 1000;
  Runtime runtime;
  sync::Atomic<int> repeated{0}, lists{0};
  // The answer is sent by the handler, which also drops what earlier rounds left here: as many as chance says.
  sync::Mutex mutex{Rank::kLeaf};
  std::deque<Tensor> results;
  std::minstd_rand random(9);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const Lease lease = runtime.lease();
      const std::vector<float> input(2000, 1.0f);
      std::set<std::vector<const void*>> seen;
      for (int round = 0; round < kRoundsBefore + kRounds; ++round) {
        std::latch answered(1);
        {
          const Tensor x = Tensor::from_host(runtime, input, {2000});
          const Tensor a = add(x, x);
          const Tensor b = mul(a, x);
          const Tensor c = sub(b, a);
          const Tensor d = relu(c);
          const HostCopy copy = d.to_host_async();
          const std::vector<const void*> addresses = {x.data(), a.data(), b.data(), c.data(), d.data()};
          const bool is_new = seen.insert(addresses).second;
          if (round >= kRoundsBefore) {
            repeated.fetch_add(is_new ? 0 : 1);
            lists.fetch_add(1);
          }
          runtime.on_complete([&, d](const Status&) {
            std::vector<Tensor> dropped;
            {
              sync::MutexLock lock(mutex);
              results.push_back(d);
              while (results.size() > random() % 64) {
                dropped.push_back(std::move(results.front()));
                results.pop_front();
              }
            }
            answered.count_down();
          });
          copy.event().wait();
        }
        answered.wait();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lists.load(), kThreads * kRounds);
  EXPECT_GE(repeated.load(), kThreads * kRounds * 95 / 100);
  results.clear();
}

}  // namespace
}  // namespace heddle
