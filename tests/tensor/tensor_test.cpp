#include "heddle/tensor/tensor_access.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "heddle/heddle.hpp"

namespace heddle {
namespace {

const std::vector<float> kSix = {1, 2, 3, 4, 5, 6};

TEST(Tensor, FromHostCopiesBeforeItReturns) {
  Runtime runtime;
  std::vector<float> values = kSix;
  const Tensor x = Tensor::from_host(runtime, values, {2, 3});
  values.assign(6, 0.0f);
  EXPECT_EQ(x.to_host(), kSix);
}

TEST(Tensor, FromHostRefusesAnotherCount) {
  Runtime runtime;
  EXPECT_THROW(Tensor::from_host(runtime, kSix, {2, 2}), InvalidArgument);
}

TEST(Tensor, ToHostIsRowMajorWhateverTheStrides) {
  Runtime runtime;
  const Tensor x = Tensor::from_host(runtime, kSix, {2, 3});
  EXPECT_EQ(transpose(x).to_host(), (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST(Tensor, ContiguousIsRowMajorWithoutGaps) {
  Runtime runtime;
  const Tensor x = zeros(runtime, Shape{3, 4});
  EXPECT_TRUE(x.is_contiguous());
  EXPECT_FALSE(transpose(x).is_contiguous());
  EXPECT_TRUE(transpose(zeros(runtime, Shape{1, 4})).is_contiguous());
  EXPECT_TRUE(transpose(zeros(runtime, Shape{4, 0})).is_contiguous());
  EXPECT_TRUE(zeros(runtime, Shape{}).is_contiguous());
  EXPECT_FALSE(view_of(x, Shape{3, 2}, Strides{4, 1}).is_contiguous());
  EXPECT_TRUE(view_of(x, Shape{1, 2}, Strides{4, 1}, 4).is_contiguous());
  EXPECT_TRUE(view_of(x, Shape{2, 0}, Strides{4, 1}).is_contiguous()) << "nothing has no gaps";
}

TEST(Tensor, EmptyTensorsAreAllowedAndUndefinedOnesAreRefused) {
  Runtime runtime;
  EXPECT_TRUE(Tensor::from_host(runtime, {}, {0, 3}).to_host().empty());
  EXPECT_THROW(Tensor().to_host(), InvalidArgument);
  EXPECT_THROW(Tensor().item(), InvalidArgument);
}

TEST(Tensor, ItemReadsOneElementBeforeAndAfterItsListIsDone) {
  Runtime runtime;
  const Tensor x = full(runtime, {1, 1}, 2.5f);
  EXPECT_EQ(x.item(), 2.5f);
  EXPECT_EQ(x.item(), 2.5f) << "complete now: read in place";
  EXPECT_THROW(full(runtime, {2}, 0.0f).item(), InvalidArgument);
}

TEST(Tensor, CopiesShareMemoryAndTheLastOneFreesIt) {
  Runtime runtime;
  const std::size_t before = runtime.memory_statistics().live_blocks;
  {
    Tensor a = full(runtime, {8}, 1.0f);
    const Tensor b = a;
    Tensor c;
    c = b;
    a = Tensor();
    EXPECT_EQ(runtime.memory_statistics().live_blocks, before + 1);
    EXPECT_EQ(address_of(c), address_of(b));
    EXPECT_EQ(sum(c).item(), 8.0f);
  }
  EXPECT_EQ(runtime.memory_statistics().live_blocks, before);
}

}  // namespace
}  // namespace heddle
