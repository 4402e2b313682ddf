#include "heddle/detail/tensor_table.hpp"

#include <gtest/gtest.h>

#include "heddle/heddle.hpp"

namespace heddle {
namespace {

TEST(TensorTable, GivesBackEachTensorOnceByItsMemory) {
  Runtime runtime;
  TensorTable table;
  void* const memory = table.add(Tensor::empty(runtime, {100}));
  EXPECT_EQ(runtime.memory_statistics().live_blocks, 1u);
  int other = 0;
  EXPECT_FALSE(table.remove(&other).defined());
  EXPECT_EQ(table.remove(memory).data(), memory);
  EXPECT_FALSE(table.remove(memory).defined());
  EXPECT_EQ(runtime.memory_statistics().live_blocks, 0u);
}

}  // namespace
}  // namespace heddle
