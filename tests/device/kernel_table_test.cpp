// A backend's table of kernels: heddle/device/kernel_table.hpp.
#include "heddle/device/kernel_table.hpp"

#include <gtest/gtest.h>

#include <set>

namespace heddle {
namespace {

struct Row {
  KernelId id{};
  DtypeSet dtypes;
  int value = 0;
};

constexpr std::array<Row, kKernelCount> rows() {
  std::array<Row, kKernelCount> result;
  for (std::size_t i = 0; i < kKernelCount; ++i) {
    const auto id = static_cast<KernelId>(i);
    result[i] = {id, id == KernelId::kAdd ? kAllFloats : kOnlyFloat32, static_cast<int>(i) * 10};
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

TEST(KernelTable, ATypeIsForTheRowsThatSaySo) {
  EXPECT_TRUE(kTable.supports(KernelId::kSub, Dtype::kFloat32));
  EXPECT_FALSE(kTable.supports(KernelId::kSub, Dtype::kFloat16));
  EXPECT_TRUE(kTable.supports(KernelId::kAdd, Dtype::kBFloat16));
  EXPECT_FALSE(kTable.supports(KernelId::kCount, Dtype::kFloat32));
  EXPECT_FALSE(kTable.supports(KernelId::kAdd, static_cast<Dtype>(200))) << "of a damaged list";
}

TEST(KernelId, EveryKernelHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kKernelCount; ++i) names.insert(kernel_name(static_cast<KernelId>(i)));
  EXPECT_EQ(names.size(), kKernelCount);
  EXPECT_EQ(kernel_name(KernelId::kRandn), "randn");
  EXPECT_EQ(kernel_name(KernelId::kAdd), "add");
  EXPECT_EQ(kernel_name(KernelId::kCustom), "custom");
  EXPECT_EQ(kernel_name(KernelId::kCount), "unknown");
  for (const KernelId map : kMapKernels) EXPECT_EQ(names.count(kernel_name(map)), 1U);
}

}  // namespace
}  // namespace heddle
