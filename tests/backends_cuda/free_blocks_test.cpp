// Free blocks of one size: heddle/backends/cuda/free_blocks.hpp. Needs no GPU.
#include "heddle/backends/cuda/free_blocks.hpp"

#include <gtest/gtest.h>

#include <array>

namespace heddle::cuda {
namespace {

TEST(FreeBlocks, GivesTheLowestWhateverTheOrderOfGivingBack) {
  std::array<std::byte, 40> memory{};
  FreeBlocks free;
  EXPECT_EQ(free.take(), nullptr);
  for (std::size_t i = 0; i < memory.size(); ++i) free.count_block();
  static_assert(noexcept(free.give(memory.data())), "blocks are given back where nothing may be thrown");
  for (std::size_t i = 0; i < memory.size(); ++i) free.give(&memory.at(i * 7 % memory.size()));
  for (std::byte& lowest : memory) EXPECT_EQ(free.take(), &lowest);
  EXPECT_EQ(free.take(), nullptr);
  free.give(&memory[3]);
  free.give(&memory[1]);
  EXPECT_EQ(free.take(), &memory[1]);
}

}  // namespace
}  // namespace heddle::cuda
