// A backend's table of kernels: heddle/device/kernel_table.hpp.
#include "heddle/device/kernel_table.hpp"

#include <gtest/gtest.h>

namespace heddle {
namespace {

struct Row {
  KernelId id{};
  bool half = false;
  int value = 0;
};

constexpr std::array<Row, kKernelCount> rows() {
  std::array<Row, kKernelCount> result;
  for (std::size_t i = 0; i < kKernelCount; ++i) {
    const auto id = static_cast<KernelId>(i);
    result[i] = {id, id == KernelId::kAdd, static_cast<int>(i) * 10};
  }
  return result;
}
constexpr KernelTable<Row> kTable{rows()};

TEST(KernelTable, FindsTheRowOfEachKernelAndNoOther) {
  for (std::size_t i = 0; i < kKernelCount; ++i) {
    const Row* const row = kTable.find(static_cast<KernelId>(i));
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->value, static_cast<int>(i) * 10);
  }
  EXPECT_EQ(kTable.find(KernelId::kCount), nullptr);
  EXPECT_EQ(kTable.find(static_cast<KernelId>(0xFFFF)), nullptr);
}

TEST(KernelTable, HalfPrecisionIsForTheRowsThatSaySo) {
  EXPECT_TRUE(kTable.supports(KernelId::kSub, Dtype::kFloat32));
  EXPECT_FALSE(kTable.supports(KernelId::kSub, Dtype::kFloat16));
  EXPECT_TRUE(kTable.supports(KernelId::kAdd, Dtype::kBFloat16));
  EXPECT_FALSE(kTable.supports(KernelId::kCount, Dtype::kFloat32));
}

}  // namespace
}  // namespace heddle
