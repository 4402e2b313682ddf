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
