// Contracts 1 to 3 of heddle/memory/page_source.hpp, for every page source.
#include <bit>
#include <cstring>
#include <thread>
#include <vector>

#include "page_source_suite/suite.hpp"
#include "suite_support/failing_calls.hpp"

namespace heddle::suite {
namespace {

constexpr std::size_t kAbsurd = std::size_t{1} << 60;

TEST_P(PageSourceSuite, Contract1a_TheGranuleIsAPowerOfTwoAndDoesNotChange) {
  const std::size_t granule = source().granule();
  EXPECT_GE(granule, 256U);
  EXPECT_TRUE(std::has_single_bit(granule));
  void* segment = nullptr;
  ASSERT_TRUE(source().allocate(granule, &segment).ok());
  EXPECT_EQ(source().granule(), granule);
  source().release(segment, granule);
}

TEST_P(PageSourceSuite, Granule_IsTheDevices) { EXPECT_EQ(source().granule(), device().info().segment_granule); }

TEST_P(PageSourceSuite, Contract1b_SegmentsAreAlignedAndApart) {
  struct Segment {
    std::byte* begin;
    std::size_t bytes;
  };
  std::vector<Segment> segments;
  for (const std::size_t granules : {1, 3, 1, 2, 5, 1}) {
    const std::size_t bytes = granules * source().granule();
    void* segment = nullptr;
    ASSERT_TRUE(source().allocate(bytes, &segment).ok());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(segment) % 4096, 0U);
    for (const Segment& other : segments) {
      EXPECT_TRUE(segment >= other.begin + other.bytes || static_cast<std::byte*>(segment) + bytes <= other.begin);
    }
    segments.push_back({static_cast<std::byte*>(segment), bytes});
  }
  for (const Segment& segment : segments) source().release(segment.begin, segment.bytes);
}

TEST_P(PageSourceSuite, Contract1b_AllOfASegmentCanBeUsed) {
  SUITE_NEEDS(device().info().host_accessible, "the host cannot write the device's memory");
  std::vector<void*> segments(4, nullptr);
  const std::size_t bytes = 2 * source().granule();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    ASSERT_TRUE(source().allocate(bytes, &segments[i]).ok());
    std::memset(segments[i], static_cast<int>(i), bytes);
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    EXPECT_EQ(
        std::vector<std::byte>(bytes, static_cast<std::byte>(i)),
        std::vector<std::byte>(static_cast<std::byte*>(segments[i]), static_cast<std::byte*>(segments[i]) + bytes));
    source().release(segments[i], bytes);
  }
}

TEST_P(PageSourceSuite, Contract1c_WhatComesBackCanBeObtainedAgain) {
  constexpr std::size_t kBytes = std::size_t{16} << 20;  // more in all than the small device has
  for (int i = 0; i < 20; ++i) {
    void* segment = nullptr;
    ASSERT_TRUE(source().allocate(kBytes, &segment).ok()) << i;
    source().release(segment, kBytes);
  }
}

TEST_P(PageSourceSuite, Release_InAnyOrder) {
  std::vector<void*> segments(8, nullptr);
  const std::size_t bytes = source().granule();
  for (void*& segment : segments) ASSERT_TRUE(source().allocate(bytes, &segment).ok());
  for (const std::size_t i : {3, 0, 7, 4, 1, 6, 2, 5}) source().release(segments[i], bytes);
  EXPECT_EQ(ledger().held(), 0U);
}

TEST_P(PageSourceSuite, Contract2a_ARefusalIsOutOfMemoryOrAnErrorOfTheDevice) {
  void* segment = this;  // not null
  const Status status = source().allocate(kAbsurd, &segment);
  EXPECT_TRUE(status.kind() == ErrorKind::kOutOfMemory || status.kind() == ErrorKind::kDeviceError) << status.text();
  EXPECT_FALSE(status.text().empty());
  EXPECT_EQ(segment, nullptr);
}

TEST_P(PageSourceSuite, Contract2b_ARefusalChangesNothing) {
  const std::size_t bytes = source().granule();
  void* before = nullptr;
  ASSERT_TRUE(source().allocate(bytes, &before).ok());
  for (int i = 0; i < 10; ++i) {
    void* refused = nullptr;
    ASSERT_FALSE(source().allocate(kAbsurd, &refused).ok());
    ASSERT_EQ(ledger().held(), 1U);
  }
  // As much as the source had room for before.
  constexpr std::size_t kMost = std::size_t{30} << 20;
  void* after = nullptr;
  ASSERT_TRUE(source().allocate(kMost, &after).ok());
  source().release(after, kMost);
  source().release(before, bytes);
}

TEST_P(PageSourceSuite, Contract2c_WithoutHostMemoryNothingIsChangedEither) {
  SUITE_NEEDS_FAILING_MEMORY();
  const std::size_t bytes = source().granule();
  void* segment = nullptr;
  with_failing_memory(
      [&] {
        const Status status = source().allocate(bytes, &segment);
        if (!status.ok()) throw std::bad_alloc();
      },
      [&](bool threw) {
        if (!threw) source().release(segment, bytes);
        ASSERT_EQ(ledger().held(), 0U);
      });
  ASSERT_TRUE(source().allocate(bytes, &segment).ok());
  source().release(segment, bytes);
}

TEST_P(PageSourceSuite, Contract3a_APolicyHandsOutAndGivesBackTheSegmentsOfTheSourceBelow) {
  const std::size_t bytes = 3 * source().granule();
  void* segment = nullptr;
  ASSERT_TRUE(source().allocate(bytes, &segment).ok());
  EXPECT_EQ(ledger().bytes_of(segment), bytes);
  source().release(segment, bytes);
  EXPECT_EQ(ledger().bytes_of(segment), 0U);
}

TEST_P(PageSourceSuite, Allocate_FromManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      const std::size_t bytes = source().granule();
      for (int i = 0; i < 50; ++i) {
        void* segment = nullptr;
        void* refused = nullptr;
        EXPECT_TRUE(source().allocate(bytes, &segment).ok());
        EXPECT_FALSE(source().allocate(kAbsurd, &refused).ok());
        source().release(segment, bytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ledger().held(), 0U);
}

}  // namespace
}  // namespace heddle::suite
