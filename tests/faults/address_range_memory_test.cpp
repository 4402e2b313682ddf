// Segments while host memory runs out: a refused one changes nothing, and returning one needs none.
#include <gtest/gtest.h>

#include <cstddef>

#include "faults/failing_memory.hpp"
#include "heddle/backends/cpu/address_range.hpp"

namespace heddle::cpu {
namespace {

using test::fails_at;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kWhole = 16 * kMiB;

TEST(AddressRangeMemory, NothingIsLostWhicheverAllocationFails) {
  AddressRange range(kWhole);
  void* const first = range.allocate(AddressRange::kPage);
  void* segment = nullptr;
  std::size_t failed = 0;
  while (fails_at(failed + 1, [&] { segment = range.allocate(2 * kMiB); })) {
    ++failed;
    EXPECT_EQ(segment, nullptr);
  }
  EXPECT_GE(failed, 2u) << "a node for the segment, and one for the rest after it";
  ASSERT_NE(segment, nullptr);
  EXPECT_FALSE(fails_at(1, [&] { range.release(first, AddressRange::kPage); }));
  EXPECT_FALSE(fails_at(1, [&] { range.release(segment, 2 * kMiB); }));
  void* const all = range.allocate(kWhole - 2 * kMiB);
  EXPECT_NE(all, nullptr) << "everything merged again";
  if (all != nullptr) range.release(all, kWhole - 2 * kMiB);
}

TEST(AddressRangeMemory, ARangeWithoutANodeIsEmpty) {
  EXPECT_TRUE(fails_at(1, [] {
    AddressRange range(kWhole);
    EXPECT_EQ(range.allocate(AddressRange::kPage), nullptr);
  }));
}

}  // namespace
}  // namespace heddle::cpu
