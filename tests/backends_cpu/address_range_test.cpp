#include "heddle/backends/cpu/address_range.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace heddle::cpu {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(AddressRange, SegmentsLieSideBySideAndHoldMemory) {
  AddressRange range(64 * kMiB);
  auto* a = static_cast<std::byte*>(range.allocate(2 * kMiB));
  auto* b = static_cast<std::byte*>(range.allocate(4 * kMiB));
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(b, a + 2 * kMiB);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a) % AddressRange::kHugePage, 0u);
  std::memset(a, 1, 2 * kMiB);
  range.release(a, 2 * kMiB);
  a = static_cast<std::byte*>(range.allocate(2 * kMiB));
  EXPECT_EQ(a, b - 2 * kMiB) << "the lowest that fits";
  EXPECT_EQ(a[kMiB], std::byte{0}) << "its memory was given back";
  range.release(a, 2 * kMiB);
  range.release(b, 4 * kMiB);
}

TEST(AddressRange, SmallSegmentsFillTheGapsOfLargeOnes) {
  AddressRange range(64 * kMiB);
  void* small = range.allocate(4096);
  void* large = range.allocate(2 * kMiB);
  void* other = range.allocate(10'000);
  EXPECT_TRUE(range.contains(small));
  EXPECT_LT(other, large);
  EXPECT_FALSE(range.contains(&range));
  for (const auto& [segment, bytes] :
       {std::pair{small, std::size_t{4096}}, {large, 2 * kMiB}, {other, std::size_t{10'000}}}) {
    range.release(segment, bytes);
  }
  void* all = range.allocate(64 * kMiB - 2 * kMiB);
  EXPECT_NE(all, nullptr) << "everything joined again";
  range.release(all, 64 * kMiB - 2 * kMiB);
}

TEST(AddressRange, SaysNoWhenItIsFull) {
  AddressRange range(8 * kMiB);
  EXPECT_EQ(range.allocate(16 * kMiB), nullptr);
  AddressRange impossible(std::size_t{1} << 60);
  EXPECT_EQ(impossible.allocate(4096), nullptr);
}

TEST(AddressRange, ThreadsNeverShareASegment) {
  AddressRange range(64 * kMiB);
  std::vector<std::thread> threads;
  for (unsigned char t = 1; t <= 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 200; ++i) {
        const std::size_t bytes = 4096 * (1 + (i * 7 + t) % 50);
        auto* segment = static_cast<unsigned char*>(range.allocate(bytes));
        ASSERT_NE(segment, nullptr);
        std::memset(segment, t, bytes);
        std::this_thread::yield();
        ASSERT_EQ(segment[0], t);
        ASSERT_EQ(segment[bytes - 1], t);
        range.release(segment, bytes);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace heddle::cpu
