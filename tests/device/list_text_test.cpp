// Lists for people: heddle/device/list_text.hpp.
#include "heddle/device/list_text.hpp"

#include <gtest/gtest.h>

namespace heddle {
namespace {

class ListText : public testing::Test {
 protected:
  CommandList list_;
  float memory_[4] = {};
};

TEST_F(ListText, CommandsAreNamedWithTheirShapes) {
  MatmulArgs product{};
  product.a = product.b = memory_;
  product.m = product.n = product.k = product.lda = product.ldb = 256;
  product.batch = 1;
  list_.append(KernelId::kMatmul, product);
  product.m = 8;
  product.batch = 3;
  product.transpose_b = 1;
  product.bias = memory_;
  list_.append(KernelId::kMatmul, product, Dtype::kBFloat16);
  list_.append(KernelId::kAdd, ElementwiseArgs{memory_, memory_, memory_, 2, {{3, 4, 4, 0}, {4, 1, 1, 1}}});
  Command<ElementwiseArgs> cast(KernelId::kCast, Dtype::kFloat16, Dtype::kFloat32);
  cast.args = {memory_, memory_, nullptr, 1, {{5, 1, 1, 0}}};
  list_.append(cast);
  list_.append(KernelId::kSum, ReduceArgs{memory_, memory_, 2, 3, 4});
  list_.append(KernelId::kRandn, RandomArgs{nullptr, 0, memory_, 100});
  list_.append(KernelId::kAdvance, AdvanceArgs{nullptr, 25});
  list_.append(KernelId::kFill, FillArgs{memory_, 4, 0x3F800000});
  list_.append(KernelId::kUpload, UploadArgs{memory_, 0, 0, 16});
  list_.append(KernelId::kCopyBytes, CopyBytesArgs{memory_, memory_, 16});
  list_.append(KernelId::kStack, StackArgs{memory_, 8, 2, {memory_, memory_}});
  list_.append(KernelId::kTimestamp, TimestampArgs{nullptr});
  const CustomCommand mine{"mine", {}};
  list_.append(KernelId::kCustom, CustomArgs{&mine});
  EXPECT_EQ(text_of(list_),
            "matmul f32 [256,256] x [256,256]\n"
            "matmul bf16 3 of [8,256] x [256,256]T + [256]\n"
            "add f32 [3,4] strides b [0,1]\n"
            "cast f32 to f16 [5]\n"
            "sum f32 [2,3,4] over 1\n"
            "randn f32 [100]\n"
            "advance 25 blocks\n"
            "fill f32 [4] with 0x3f800000\n"
            "upload 16 bytes\n"
            "copy_bytes 16 bytes\n"
            "stack f32 2 of 8 bytes\n"
            "timestamp\n"
            "custom 'mine'\n");
}

TEST_F(ListText, TheFirstDifferenceIsNamed) {
  const auto record = [&](CommandList& list, float* b, std::int64_t extent, Dtype dtype) {
    list.append(KernelId::kFill, FillArgs{memory_, 4, 0});
    list.append(KernelId::kAdd, ElementwiseArgs{memory_, memory_, b, 1, {{extent, 1, 1, 1}}}, dtype);
  };
  CommandList other, extent, address, dtype, more;
  record(list_, memory_, 4, Dtype::kFloat32);
  record(other, memory_, 4, Dtype::kFloat32);
  EXPECT_EQ(list_, other);
  EXPECT_FALSE(first_difference(list_, other).has_value());

  record(address, memory_ + 1, 4, Dtype::kFloat32);
  auto difference = first_difference(list_, address);
  EXPECT_FALSE(list_ == address);
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->command, 1U);
  EXPECT_EQ(difference->field, "b");
  EXPECT_TRUE(difference->is_address) << "the same work on other memory";

  record(extent, memory_, 3, Dtype::kFloat32);
  difference = first_difference(list_, extent);
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->field, "dims");
  EXPECT_FALSE(difference->is_address);
  EXPECT_EQ(difference->text, "command 1 (add f32 [4]): dims is 4 and 3");

  record(dtype, memory_, 4, Dtype::kFloat16);
  difference = first_difference(list_, dtype);
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->field, "dtype");

  record(more, memory_, 4, Dtype::kFloat32);
  more.append(KernelId::kFill, FillArgs{memory_, 4, 0});
  difference = first_difference(list_, more);
  ASSERT_TRUE(difference.has_value());
  EXPECT_EQ(difference->field, "commands");
  EXPECT_EQ(difference->command, 2U);

  list_.clear();
  other.clear();
  list_.append(KernelId::kFill, FillArgs{memory_, 4, 0});
  other.append(KernelId::kTimestamp, TimestampArgs{nullptr});
  EXPECT_EQ(first_difference(list_, other)->field, "kernel");
}

TEST_F(ListText, HalfWordsAreNamedOneByOne) {
  CommandList other;
  MatmulArgs product{};
  list_.append(KernelId::kMatmul, product);
  product.transpose_b = 1;
  other.append(KernelId::kMatmul, product);
  EXPECT_EQ(first_difference(list_, other)->field, "transpose_b");
}

}  // namespace
}  // namespace heddle
