#include "heddle/memory/deferred_frees.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace heddle {
namespace {

std::vector<Block*> all_of(Block* chain) {
  std::vector<Block*> blocks;
  for (; chain != nullptr; chain = chain->next()) blocks.push_back(chain);
  return blocks;
}

TEST(DeferredFrees, GivesWhatWasPostedOnce) {
  DeferredFrees frees;
  std::array<Block, 2> blocks;
  EXPECT_TRUE(frees.empty());
  EXPECT_EQ(frees.take_all(), nullptr);
  EXPECT_TRUE(frees.post(&blocks[0]));
  EXPECT_TRUE(frees.post(&blocks[1]));
  EXPECT_FALSE(frees.empty());
  EXPECT_EQ(all_of(frees.take_all()), (std::vector<Block*>{&blocks[1], &blocks[0]}));
  EXPECT_TRUE(frees.empty());
}

TEST(DeferredFrees, RefusesBehindTheClose) {
  DeferredFrees frees;
  std::array<Block, 2> blocks;
  EXPECT_TRUE(frees.post(&blocks[0]));
  EXPECT_EQ(all_of(frees.close()), std::vector<Block*>{&blocks[0]});
  EXPECT_FALSE(frees.post(&blocks[1]));
  EXPECT_TRUE(frees.empty());
  EXPECT_EQ(frees.take_all(), nullptr);
}

TEST(DeferredFrees, WhatThreadsPostAgainstACloseIsTakenOrRefused) {
  constexpr std::size_t kEach = 2000;
  DeferredFrees frees;
  std::vector<Block> blocks(2 * kEach);
  std::array<std::size_t, 2> refused{};
  std::size_t taken = 0;
  std::array<std::thread, 2> posters;
  for (std::size_t poster = 0; poster < posters.size(); ++poster) {
    posters[poster] = std::thread([&, poster] {
      for (std::size_t i = 0; i < kEach; ++i) refused[poster] += frees.post(&blocks[poster * kEach + i]) ? 0 : 1;
    });
  }
  while (taken < kEach) taken += all_of(frees.take_all()).size();
  taken += all_of(frees.close()).size();
  for (std::thread& poster : posters) poster.join();
  EXPECT_EQ(taken + refused[0] + refused[1], blocks.size());
}

}  // namespace
}  // namespace heddle
