#include "heddle/memory/page_source.hpp"

#include <gtest/gtest.h>

#include "heddle/memory/segments.hpp"
#include "memory/memory_fixture.hpp"
#include "memory/page_policies.hpp"

namespace heddle {
namespace {

TEST(PageSource, LimitReservesBeforeAndReleasesAfter) {
  FakePages pages;
  Budget budget(10'000);
  LimitedPages limited(pages, budget);
  void* first = nullptr;
  void* second = nullptr;
  ASSERT_TRUE(limited.allocate(8192, &first).ok());
  const Status refused = limited.allocate(4096, &second);
  EXPECT_EQ(refused.kind(), ErrorKind::kOutOfMemory);
  EXPECT_NE(refused.text().find("the memory limit of 10000"), std::string_view::npos) << refused.text();
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(pages.held(), 8192u) << "the source was not even asked";
  limited.release(first, 8192);
  EXPECT_EQ(budget.reserved(), 0u);
}

TEST(PageSource, AFailureOfTheSourceGivesTheReservationBack) {
  FakePages pages;
  FaultyPages faulty(pages);
  Budget budget(10'000);
  LimitedPages limited(faulty, budget);
  faulty.fail(1, false);
  void* segment = nullptr;
  EXPECT_FALSE(limited.allocate(4096, &segment).ok());
  EXPECT_EQ(budget.reserved(), 0u);
  EXPECT_TRUE(limited.allocate(4096, &segment).ok()) << "one failure was scripted";
  limited.release(segment, 4096);
}

TEST(PageSource, DecoratorsStackAndCount) {
  FakePages pages;
  FaultyPages faulty(pages);
  DelayedPages delayed(faulty, std::chrono::microseconds(1));
  CountedPages counted(delayed);
  EXPECT_EQ(counted.granule(), pages.granule());
  faulty.fail(2, true);
  void* first = nullptr;
  void* other = nullptr;
  ASSERT_TRUE(counted.allocate(4096, &first).ok());
  EXPECT_FALSE(counted.allocate(4096, &other).ok());
  EXPECT_FALSE(counted.allocate(4096, &other).ok());
  counted.release(first, 4096);
  EXPECT_EQ(counted.obtained(), 1u);
  EXPECT_EQ(counted.refused(), 2u);
  EXPECT_EQ(counted.released(), 1u);
  EXPECT_EQ(pages.held(), 0u);
}

}  // namespace
}  // namespace heddle
