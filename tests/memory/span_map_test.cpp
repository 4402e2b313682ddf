#include "heddle/memory/span_map.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace heddle {
namespace {

std::byte* at(std::size_t offset) {
  static std::byte memory[std::size_t{2} << 20];  // only its addresses are used
  return memory + offset;
}

TEST(SpanMap, TakesTheLowestOfTheSmallestThatFit) {
  SpanMap spans;
  spans.add_segment(at(0), 10000);
  std::byte* a = spans.take(1000);
  std::byte* b = spans.take(3000);
  std::byte* c = spans.take(1000);
  EXPECT_EQ(a, at(0));
  EXPECT_EQ(b, at(1000));
  EXPECT_EQ(c, at(4000));
  spans.give(b, 3000);
  EXPECT_EQ(spans.take(2500), at(1000)) << "the hole of 3000 fits better than the tail of 5000";
}

TEST(SpanMap, JoinsNeighboursOnBothSides) {
  SpanMap spans;
  spans.add_segment(at(0), 3000);
  std::byte* a = spans.take(1000);
  std::byte* b = spans.take(1000);
  std::byte* c = spans.take(1000);
  EXPECT_EQ(spans.take(1), nullptr);
  spans.give(a, 1000);
  spans.give(c, 1000);
  EXPECT_EQ(spans.largest_free(), 1000u);
  spans.give(b, 1000);
  EXPECT_EQ(spans.largest_free(), 3000u);
}

TEST(SpanMap, DoesNotJoinAcrossSegments) {
  SpanMap spans;
  spans.add_segment(at(0), 1000);
  spans.add_segment(at(1000), 1000);  // touches the first
  std::byte* a = spans.take(1000);
  std::byte* b = spans.take(1000);
  spans.give(a, 1000);
  spans.give(b, 1000);
  EXPECT_EQ(spans.largest_free(), 1000u);
  EXPECT_EQ(spans.remove_idle_segments().size(), 2u);
  EXPECT_EQ(spans.free_bytes(), 0u);
}

TEST(SpanMap, RandomUseNeverOverlapsAndCoalescesCompletely) {
  SpanMap spans;
  spans.add_segment(at(0), 1 << 16);
  spans.add_segment(at(1 << 20), 1 << 16);
  std::mt19937 random(7);
  std::map<std::byte*, std::size_t> live;
  std::size_t used = 0;
  for (int step = 0; step < 20000; ++step) {
    const std::size_t bytes = 256 * (1 + random() % 20);
    if (random() % 2 == 0) {
      std::byte* address = spans.take(bytes);
      if (address == nullptr) continue;
      const auto next = live.lower_bound(address);
      ASSERT_TRUE(next == live.end() || address + bytes <= next->first);
      ASSERT_TRUE(next == live.begin() || std::prev(next)->first + std::prev(next)->second <= address);
      live.emplace(address, bytes);
      used += bytes;
    } else if (!live.empty()) {
      const auto victim = std::next(live.begin(), static_cast<long>(random() % live.size()));
      spans.give(victim->first, victim->second);
      used -= victim->second;
      live.erase(victim);
    }
    ASSERT_EQ(spans.free_bytes() + used, std::size_t{2} << 16);
  }
  for (const auto& [address, bytes] : live) spans.give(address, bytes);
  EXPECT_EQ(spans.remove_idle_segments().size(), 2u);
}

}  // namespace
}  // namespace heddle
