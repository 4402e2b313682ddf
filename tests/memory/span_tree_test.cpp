#include "heddle/memory/span_tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace heddle {
namespace {

std::byte* at(std::size_t offset) {
  static std::byte memory[std::size_t{2} << 20];  // only its addresses are used
  return memory + offset;
}

TEST(SpanTree, TakesTheLowestOfTheSmallestThatFit) {
  SpanTree spans;
  spans.add(at(0), 10000);
  std::byte* a = spans.take(1000);
  std::byte* b = spans.take(3000);
  std::byte* c = spans.take(1000);
  EXPECT_EQ(a, at(0));
  EXPECT_EQ(b, at(1000));
  EXPECT_EQ(c, at(4000));
  spans.give(b, 3000);
  EXPECT_EQ(spans.take(3500), at(5000)) << "the hole of 3000 is too small";
  EXPECT_EQ(spans.take(500), at(8500)) << "the tail of 1500 fits better than the hole";
  EXPECT_EQ(spans.take(2500), at(1000));
}

TEST(SpanTree, JoinsNeighboursOnBothSidesAlsoOfAnotherSegment) {
  SpanTree spans;
  spans.add(at(0), 2000);
  spans.add(at(2000), 1000);
  std::byte* a = spans.take(1000);
  std::byte* b = spans.take(1000);
  std::byte* c = spans.take(1000);
  EXPECT_EQ(spans.take(1), nullptr);
  spans.give(a, 1000);
  spans.give(c, 1000);
  EXPECT_EQ(spans.largest(), 1000u);
  spans.give(b, 1000);
  EXPECT_EQ(spans.largest(), 3000u);
}

TEST(SpanTree, CutsAPieceOutOfTheMiddle) {
  SpanTree spans;
  spans.add(at(0), 3000);
  spans.cut(at(1000), 1000);
  EXPECT_EQ(spans.bytes(), 2000u);
  EXPECT_EQ(spans.spans().size(), 2u);
  EXPECT_EQ(spans.take(1001), nullptr);
  spans.cut(at(0), 1000);
  EXPECT_EQ(spans.take(1000), at(2000));
}

// What is free decides, not the order in which it became free.
TEST(SpanTree, AnswersDependOnTheSetOfFreeSpansOnly) {
  std::mt19937 random(5);
  SpanTree spans;
  spans.add(at(0), 1 << 20);
  std::vector<std::pair<std::byte*, std::size_t>> taken;
  const std::size_t sizes[] = {256, 8192, 1024, 512, 4096, 256, 65536, 768};
  std::vector<std::byte*> first;
  for (int round = 0; round < 50; ++round) {
    for (const std::size_t bytes : sizes) taken.emplace_back(spans.take(bytes), bytes);
    std::vector<std::byte*> addresses;
    for (const auto& [base, bytes] : taken) addresses.push_back(base);
    if (round == 0) first = addresses;
    ASSERT_EQ(addresses, first) << "round " << round;
    std::shuffle(taken.begin(), taken.end(), random);
    for (const auto& [base, bytes] : taken) spans.give(base, bytes);
    taken.clear();
  }
}

// Against a plain list: the same answers, and never an overlap.
TEST(SpanTree, RandomUseAgreesWithAListOfAllSpans) {
  SpanTree spans;
  std::map<std::byte*, std::size_t> free;  // the reference: free spans by address
  const auto join = [&](std::byte* base, std::size_t bytes) {
    auto next = free.lower_bound(base);
    if (next != free.end() && base + bytes == next->first) {
      bytes += next->second;
      next = free.erase(next);
    }
    if (next != free.begin() && std::prev(next)->first + std::prev(next)->second == base) {
      std::prev(next)->second += bytes;
    } else {
      free.emplace(base, bytes);
    }
  };
  spans.add(at(0), 1 << 16);
  spans.add(at(1 << 20), 1 << 16);
  join(at(0), 1 << 16);
  join(at(1 << 20), 1 << 16);
  std::mt19937 random(7);
  std::vector<std::pair<std::byte*, std::size_t>> live;
  for (int step = 0; step < 20000; ++step) {
    const std::size_t bytes = 256 * (1 + random() % 20);
    if (random() % 2 == 0) {
      std::byte* const base = spans.take(bytes);
      auto fit = free.end();
      for (auto span = free.begin(); span != free.end(); ++span) {
        if (span->second >= bytes && (fit == free.end() || span->second < fit->second)) fit = span;
      }
      ASSERT_EQ(base, fit == free.end() ? nullptr : fit->first);
      if (base == nullptr) continue;
      const std::size_t left = fit->second - bytes;
      free.erase(fit);
      if (left > 0) free.emplace(base + bytes, left);
      live.emplace_back(base, bytes);
    } else if (!live.empty()) {
      std::swap(live[random() % live.size()], live.back());
      spans.give(live.back().first, live.back().second);
      join(live.back().first, live.back().second);
      live.pop_back();
    }
    ASSERT_EQ(spans.spans().size(), free.size());
  }
  for (const auto& [base, bytes] : live) spans.give(base, bytes);
  EXPECT_EQ(spans.spans().size(), 2u);
  EXPECT_EQ(spans.largest(), std::size_t{1} << 16);
}

}  // namespace
}  // namespace heddle
