#include "heddle/memory/heap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <set>
#include <vector>

#include "heddle/memory/heap_counters.hpp"
#include "heddle/memory/roaming_sites.hpp"

namespace heddle {
namespace {

constexpr std::size_t kRunBytes = std::size_t{2} << 20;

std::byte* at(std::size_t offset) { return std::bit_cast<std::byte*>((std::uintptr_t{1} << 40) + offset); }

class Heaps : public ::testing::Test {
 protected:
  Heaps() { heap_.add_memory({at(0), std::size_t{256} << 20}); }
  ~Heaps() override { heap_.audit(); }
  Block* take(std::size_t bytes, std::uint64_t list = 1) { return heap_.take_slowly(bytes, list, kRunBytes); }
  // As DeviceMemory does: what came back, or else more memory.
  Block* take_or_grow(std::size_t bytes, std::uint64_t list) {
    if (Block* block = heap_.take(bytes, list)) return block;
    heap_.collect();
    if (Block* block = take(bytes, list)) return block;
    const std::size_t more = heap_.wanted_bytes(bytes, kRunBytes);
    heap_.add_memory({at(next_), more}, heap_.roams(bytes, list));
    next_ += more;
    return take(bytes, list);
  }
  // As another thread would, through the inbox.
  void give_elsewhere(Block* block) {
    block->references.store(kBlockPosted);
    heap_.inbox().post({&block, 1});
  }
  Heap heap_{nullptr};
  std::size_t next_ = std::size_t{1} << 30;
};

TEST_F(Heaps, TheLowestFreeSlotIsTaken) {
  std::vector<Block*> blocks;
  for (int i = 0; i < 200; ++i) blocks.push_back(take(1000));
  std::set<void*> freed;
  for (const int i : {150, 3, 77, 12}) {
    freed.insert(blocks[static_cast<std::size_t>(i)]->data);
    heap_.give(blocks[static_cast<std::size_t>(i)]);
  }
  std::vector<void*> order(freed.begin(), freed.end());
  for (void* expected : {blocks[3]->data, blocks[12]->data, blocks[77]->data, blocks[150]->data}) {
    Block* block = heap_.take(1000, 1);
    ASSERT_NE(block, nullptr) << "no slot although one is free";
    EXPECT_EQ(block->data, expected);
  }
}

TEST_F(Heaps, ABlockHoldsWhatWasAskedForAndIsAligned) {
  for (std::size_t bytes = 0; bytes < (std::size_t{5} << 20); bytes += 1 + bytes / 3) {
    Block* block = take(bytes);
    ASSERT_NE(block, nullptr);
    EXPECT_GE(Heap::occupied(*block), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block->data) % 256, 0u);
    EXPECT_EQ(block->requested(), bytes);
    EXPECT_TRUE(block->is_live());
    heap_.give(block);
    EXPECT_FALSE(block->is_live());
  }
}

TEST_F(Heaps, CountsAddUp) {
  Block* a = take(1000);
  Block* b = take(std::size_t{3} << 20);
  HeapCounters::Sums sums = heap_.counters().sums();
  EXPECT_EQ(sums.requested, 1000 + (std::size_t{3} << 20));
  EXPECT_EQ(sums.rounded, 1024 + (std::size_t{3} << 20));
  heap_.give(a);
  heap_.give(b);
  sums = heap_.counters().sums();
  EXPECT_EQ(sums.allocated, 2u);
  EXPECT_EQ(sums.freed, 2u);
  EXPECT_EQ(sums.requested, 0u);
  EXPECT_EQ(sums.rounded, 0u);
}

// A balanced loop gets the same addresses, whatever the order in which it gave them back.
TEST_F(Heaps, LoopsRepeatTheirAddresses) {
  std::mt19937 random(11);
  for (const std::size_t bytes :
       {std::size_t{512}, std::size_t{256} << 10, std::size_t{4} << 20, std::size_t{8} << 20}) {
    std::vector<void*> third;
    for (std::uint64_t round = 1; round <= 20; ++round) {
      std::vector<Block*> blocks;
      for (int i = 0; i < 10; ++i) blocks.push_back(take(bytes, round));
      std::vector<void*> addresses;
      for (Block* block : blocks) addresses.push_back(block->data);
      if (round == 3) third = addresses;
      if (round > 3) {
        ASSERT_EQ(addresses, third) << bytes << " bytes, round " << round;
      }
      std::shuffle(blocks.begin(), blocks.end(), random);
      for (Block* block : blocks) heap_.give(block);
    }
  }
}

// The result of each round is given back elsewhere, a random number of rounds later. The temporaries do not notice.
TEST_F(Heaps, ResultsThatAreFreedElsewhereDoNotMoveTheTemporaries) {
  for (const std::size_t bytes : {std::size_t{16384}, std::size_t{4} << 20}) {
    std::mt19937 random(3);
    std::vector<Block*> results;
    std::set<std::vector<void*>> seen;
    std::vector<void*> settled;
    int repeated = 0;
    constexpr int kRounds = 400;
    for (int round = 1; round <= kRounds; ++round) {
      std::vector<Block*> temporaries;
      for (int i = 0; i < 4; ++i) temporaries.push_back(take_or_grow(bytes, static_cast<std::uint64_t>(round)));
      results.push_back(take_or_grow(bytes, static_cast<std::uint64_t>(round)));
      std::vector<void*> addresses;
      for (Block* block : temporaries) addresses.push_back(block->data);
      if (round == 20) settled = addresses;
      if (round > 20) {
        ASSERT_EQ(addresses, settled) << "round " << round;
      }
      addresses.push_back(results.back()->data);
      repeated += seen.insert(addresses).second ? 0 : 1;
      for (Block* block : temporaries) heap_.give(block);
      while (results.size() > random() % 8) {
        give_elsewhere(results.front());
        results.erase(results.begin());
      }
    }
    EXPECT_GE(repeated, kRounds * 95 / 100) << bytes;
    for (Block* block : results) give_elsewhere(block);
    heap_.collect();
  }
}

TEST_F(Heaps, RunsDoubleAndDissolve) {
  std::vector<Block*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(take(40'000));
  EXPECT_EQ(heap_.empty_run_bytes(false), 0u) << "every run that the class has is in use";
  const std::size_t owned = heap_.counters().owned.load();
  for (Block* block : blocks) heap_.give(block);
  EXPECT_EQ(heap_.free_bytes(), owned);
  EXPECT_GE(heap_.empty_run_bytes(false), std::size_t{1000} * 40'000);
  heap_.dissolve(true);
  EXPECT_GE(heap_.empty_run_bytes(false), std::size_t{1000} * 40'000) << "what roams is another matter";
  heap_.dissolve(false);
  EXPECT_EQ(heap_.take(40'000, 1), nullptr) << "there is no run any more";
  EXPECT_EQ(heap_.free_spans(false).size(), 1u) << "everything joins again";
  heap_.drop_free_spans(false);
  EXPECT_EQ(heap_.counters().owned.load(), 0u);
}

TEST_F(Heaps, WhatItMayOwnFollowsWhatItNeededAtOnce) {
  EXPECT_EQ(heap_.allowed_bytes(5), 5u);
  constexpr std::size_t kMost = std::size_t{60} << 20;
  std::uint64_t list = 1;
  const auto need = [&](int blocks_of_3_mib) {
    std::vector<Block*> blocks;
    for (int i = 0; i < blocks_of_3_mib; ++i) blocks.push_back(take(std::size_t{3} << 20, list));
    for (Block* block : blocks) heap_.give(block);
    ++list;
  };
  need(20);
  EXPECT_EQ(heap_.allowed_bytes(5), 3 * kMost + 5);
  while (list < 200) need(10);
  EXPECT_GT(heap_.allowed_bytes(5), 3 * kMost / 100 * 98) << "needs that vary are forgotten slowly";
  while (list < 50'000) need(10);
  EXPECT_LT(heap_.allowed_bytes(5), 3 * kMost / 100 * 51) << "but forgotten";
  while (list < 51'200) need(1);
  EXPECT_LT(heap_.allowed_bytes(5), 3 * kMost / 4) << "sooner where it is another need altogether";
}

TEST_F(Heaps, APieceOfAFreeSpanGoesToAnother) {
  const std::size_t owned = heap_.counters().owned.load();
  heap_.expect_memory(2);
  heap_.drop({at(std::size_t{4} << 20), std::size_t{2} << 20}, false);
  heap_.drop({at(std::size_t{8} << 20), std::size_t{2} << 20}, false);
  EXPECT_EQ(heap_.free_spans(false).size(), 3u);
  EXPECT_EQ(heap_.counters().owned.load(), owned - (std::size_t{4} << 20));
  EXPECT_EQ(take(std::size_t{247} << 20), nullptr) << "it is in three pieces";
}

TEST_F(Heaps, OwnsNothingThatFits) {
  EXPECT_EQ(take(std::size_t{257} << 20), nullptr);
  Block* most = take(std::size_t{254} << 20);
  ASSERT_NE(most, nullptr);
  EXPECT_EQ(take(std::size_t{3} << 20), nullptr);
  Block* small = take(700 << 10);
  ASSERT_NE(small, nullptr) << "a run of fewer slots where two do not fit";
  heap_.give(small);
  heap_.give(most);
}

TEST_F(Heaps, RandomUseKeepsTheInvariants) {
  std::mt19937 random(23);
  std::vector<Block*> live;
  for (int step = 0; step < 20'000; ++step) {
    if (random() % 2 == 0) {
      const std::size_t bytes = std::size_t{1} << (random() % 22);
      if (Block* block = take(bytes + random() % 100, static_cast<std::uint64_t>(step / 8))) live.push_back(block);
    } else if (!live.empty()) {
      std::swap(live[random() % live.size()], live.back());
      if (random() % 4 == 0) {
        give_elsewhere(live.back());
      } else {
        heap_.give(live.back());
      }
      live.pop_back();
    }
    if (random() % 64 == 0) heap_.collect();
    if (step % 500 == 0) heap_.audit();
  }
  for (Block* block : live) heap_.give(block);
  heap_.collect();
}

using HeapsDeathTest = Heaps;

// C04, R22: a handle whose block is free already.
TEST_F(HeapsDeathTest, C04_FreeingTwiceIsNamed) {
  Block* block = take(100);
  heap_.give(block);
  EXPECT_DEATH(heap_.give(block), "freed twice, or its handle is stale");
  Block* shared = take(100);
  shared->references.store(2);
  EXPECT_DEATH(heap_.give(shared), "while others refer to it");
  shared->references.store(1);
  heap_.give(shared);
}

TEST_F(HeapsDeathTest, R22_FreeingABlockThatAnotherThreadGaveBackIsNamed) {
  Block* block = take(100);
  give_elsewhere(block);
  EXPECT_DEATH(heap_.give(block), "another thread gave it back before");
  heap_.collect();
}

TEST(RoamingSites, LearnFromOneAndForgetAfterThree) {
  RoamingSites sites;
  RoamingSites::Ordinal ordinal;
  const RoamingSites::Site site = RoamingSites::site(ordinal, 5);
  EXPECT_FALSE(sites.roams(site));
  sites.left(site);
  EXPECT_TRUE(sites.roams(site));
  sites.stayed(site);
  sites.stayed(site);
  EXPECT_TRUE(sites.roams(site));
  sites.stayed(site);
  EXPECT_FALSE(sites.roams(site));
  ordinal.advance();
  EXPECT_NE(RoamingSites::site(ordinal, 5), site);
  EXPECT_NE(RoamingSites::site(ordinal, 6), RoamingSites::site(ordinal, 5));
}

}  // namespace
}  // namespace heddle
