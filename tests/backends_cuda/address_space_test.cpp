// Which addresses segments get: heddle/backends/cuda/pages/address_space.hpp. Needs no GPU.
#include "heddle/backends/cuda/pages/address_space.hpp"

#include <gtest/gtest.h>

namespace heddle::cuda {
namespace {

TEST(AddressSpace, GivesTheLowestRunThatFits) {
  AddressSpace space(1000, 100);
  EXPECT_EQ(space.take(10), 1000U);
  EXPECT_EQ(space.take(20), 1010U);
  EXPECT_EQ(space.take(10), 1030U);
  space.give(1000, 10);
  space.give(1030, 10);
  EXPECT_EQ(space.take(10), 1000U);
  EXPECT_EQ(space.take(5), 1030U);
}

TEST(AddressSpace, NeighboursJoinWhateverTheOrder) {
  for (const int first : {0, 1, 2}) {
    AddressSpace space(1000, 30);
    for (int i = 0; i < 3; ++i) EXPECT_NE(space.take(10), 0U);
    for (int i = 0; i < 3; ++i) space.give(1000 + static_cast<std::uintptr_t>((first + i) % 3) * 10, 10);
    EXPECT_EQ(space.take(30), 1000U) << first;
  }
}

TEST(AddressSpace, WhatIsLeftOfARunAndWhatJoinsOneKeepTheirOrder) {
  AddressSpace space(1000, 100);
  static_assert(noexcept(space.give(0, 0)) && noexcept(space.take(0)), "segments are released where nothing is thrown");
  for (std::uintptr_t address = 1000; address < 1100; address += 10) EXPECT_EQ(space.take(10), address);
  space.give(1050, 10);
  space.give(1020, 10);
  space.give(1040, 10);  // before the run at 1050
  space.give(1030, 10);  // between two runs
  space.give(1060, 10);  // behind the run
  EXPECT_EQ(space.take(51), 0U);
  EXPECT_EQ(space.take(20), 1020U);
  EXPECT_EQ(space.take(30), 1040U);
  EXPECT_EQ(space.take(1), 0U);
}

TEST(AddressSpace, SaysWhenNothingIsLeft) {
  AddressSpace space(1000, 30);
  EXPECT_EQ(space.take(31), 0U);
  EXPECT_EQ(space.take(30), 1000U);
  EXPECT_EQ(space.take(1), 0U);
  space.give(1000, 30);
  EXPECT_EQ(space.take(30), 1000U);
}

}  // namespace
}  // namespace heddle::cuda
