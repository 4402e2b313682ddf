#include "heddle/memory/span_replay.hpp"

#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

namespace heddle {
namespace {

constexpr std::size_t kMemory = std::size_t{2} << 20;

std::byte* at(std::size_t offset) {
  static std::byte memory[kMemory];  // only its addresses are used
  return memory + offset;
}

TEST(SpanReplay, KnowsAgainWhatWasTakenAndGivenBackLast) {
  SpanReplay spans;
  spans.add(at(0), 10'000);
  EXPECT_EQ(spans.take_again(1000), nullptr) << "nothing is known";
  EXPECT_EQ(spans.take(1000), at(0));
  EXPECT_EQ(spans.take(2000), at(1000));
  spans.give(at(1000), 2000);
  spans.give(at(0), 1000);
  EXPECT_EQ(spans.bytes(), 10'000u);
  EXPECT_EQ(spans.take_again(2000), nullptr) << "another size than the first time";
  EXPECT_EQ(spans.take_again(1000), at(0));
  EXPECT_EQ(spans.take_again(2000), at(1000));
  EXPECT_EQ(spans.take_again(1), nullptr);
  EXPECT_EQ(spans.bytes(), 7000u);
}

TEST(SpanReplay, WhateverElseChangesTheSetOfFreeSpansIsForgottenFor) {
  SpanReplay spans;
  spans.add(at(10'000), 10'000);
  const auto known = [&] {
    std::byte* const base = spans.take(1000);
    spans.give(base, 1000);
    return base;
  };
  EXPECT_EQ(known(), at(10'000));
  spans.add(at(0), 1000);
  EXPECT_EQ(spans.take_again(1000), nullptr);
  EXPECT_EQ(known(), at(0)) << "fits better";
  EXPECT_EQ(spans.take(500), at(0));
  EXPECT_EQ(known(), at(10'000)) << "other bytes than were known";
  spans.give(at(0), 500);
  EXPECT_EQ(known(), at(0)) << "given back in another order";
  EXPECT_EQ(spans.largest(), 10'000u);
  EXPECT_EQ(spans.spans().size(), 2u) << "all of it is in there";
  known();
  spans.clear();
  EXPECT_EQ(spans.bytes(), 0u);
  EXPECT_EQ(spans.take(1000), nullptr);
}

// Beside a tree that is asked each time: the same answers, whatever the order.
TEST(SpanReplay, AnswersAsTheTreeItself) {
  std::mt19937 random(3);
  SpanReplay spans;
  SpanTree tree;
  for (const std::size_t segment : {std::size_t{0}, std::size_t{1} << 20}) {
    spans.add(at(segment), 100'000);
    tree.add(at(segment), 100'000);
  }
  std::vector<std::pair<std::byte*, std::size_t>> live;
  std::size_t known = 0;
  for (int step = 0; step < 50'000; ++step) {
    const std::size_t bytes = 1000 * (1 + random() % 3);
    if (random() % 2 == 0) {
      std::byte* base = spans.take_again(bytes);
      known += base != nullptr ? 1 : 0;
      if (base == nullptr) base = spans.take(bytes);
      ASSERT_EQ(base, tree.take(bytes)) << step;
      if (base != nullptr) live.emplace_back(base, bytes);
    } else if (!live.empty()) {
      if (random() % 8 == 0) std::swap(live[random() % live.size()], live.back());
      spans.give(live.back().first, live.back().second);
      tree.give(live.back().first, live.back().second);
      live.pop_back();
    }
    ASSERT_EQ(spans.bytes(), tree.bytes()) << step;
    if (random() % 64 == 0) {
      ASSERT_EQ(spans.largest(), tree.largest()) << step;
    }
  }
  EXPECT_GT(known, 1000u);
}

}  // namespace
}  // namespace heddle
