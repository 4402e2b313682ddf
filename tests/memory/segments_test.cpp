#include "heddle/memory/segments.hpp"

#include <gtest/gtest.h>

#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

TEST(Segments, TakesLessWhereTheWantedIsRefused) {
  FakePages pages;
  Budget budget(100'000);
  LimitedPages limited(pages, budget);
  Segments segments(limited);
  EXPECT_EQ(segments.obtain(80'000, 5000).bytes, 81'920u);
  EXPECT_EQ(segments.obtain(80'000, 5000).bytes, 8192u);
  EXPECT_EQ(segments.obtain(80'000, 50'000).base, nullptr);
  EXPECT_EQ(pages.held(), 90'112u);
}

TEST(Segments, FindsThoseThatLieWithinASpan) {
  FakePages pages;
  Segments segments(pages);
  const Span a = segments.obtain(4096, 4096);
  const Span b = segments.obtain(8192, 8192);
  const Span c = segments.obtain(4096, 4096);
  ASSERT_EQ(a.base + a.bytes, b.base) << "the fake source is contiguous";
  EXPECT_EQ(segments.within({a.base, 16384}).size(), 3u);
  EXPECT_EQ(segments.within({a.base + 256, 16384 - 256}).size(), 2u);
  EXPECT_EQ(segments.within({a.base, 16384 - 256}).size(), 2u);
  EXPECT_EQ(segments.within({b.base + 1, 8191}).size(), 0u);
  segments.give_back(b);
  EXPECT_EQ(segments.within({a.base, 16384}).size(), 2u);
  segments.give_back(c);
  EXPECT_EQ(pages.held(), 4096u);
}

TEST(Segments, GivesEverythingBackAtItsEnd) {
  FakePages pages;
  {
    Segments segments(pages);
    segments.obtain(1 << 20, 1);
    segments.obtain(1, 1);
  }
  EXPECT_EQ(pages.held(), 0u);
}

}  // namespace
}  // namespace heddle
