#include "heddle/memory/live_ranges.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace heddle {
namespace {

struct At {
  At(std::size_t begin, std::size_t bytes) {
    block.data = std::bit_cast<void*>(begin);
    block.set_requested(bytes);
  }
  Block block;
};

TEST(LiveRangesDeathTest, OverlapsAndDoubleFreesAreNamed) {
  LiveRanges ranges;
  const At a(1000, 100), b(1100, 100), inside(1050, 10), across(990, 11), same(1000, 1);
  ranges.add(a.block);
  ranges.add(b.block);
  EXPECT_DEATH(ranges.add(inside.block), "begins within a live one");
  EXPECT_DEATH(ranges.add(across.block), "reaches into a live one");
  EXPECT_DEATH(ranges.add(same.block), "begins where a live one does");
  ranges.remove(a.block);
  ranges.add(inside.block);
  EXPECT_DEATH(ranges.remove(a.block), "freed twice");
}

}  // namespace
}  // namespace heddle
