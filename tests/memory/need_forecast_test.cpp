#include "heddle/memory/need_forecast.hpp"

#include <gtest/gtest.h>

namespace heddle {
namespace {

constexpr std::size_t kPeak = std::size_t{1} << 20;

// Lists that each need `bytes`, all of which are free again when the next begins.
void record(NeedForecast& forecast, std::uint64_t lists, std::size_t bytes) {
  for (std::uint64_t list = 0; list < lists; ++list) {
    forecast.begin_list(0);
    forecast.note(bytes);
  }
}

TEST(NeedForecast, AllowsNothingButTheSlackAtFirst) {
  const NeedForecast forecast;
  EXPECT_EQ(forecast.allowed_bytes(0, 0), 0u);
  EXPECT_EQ(forecast.allowed_bytes(0, 7), 7u);
}

TEST(NeedForecast, AllowsThreeTimesThePeak) {
  NeedForecast forecast;
  forecast.note(100);
  forecast.note(40);
  EXPECT_EQ(forecast.allowed_bytes(40, 5), 305u);
  EXPECT_EQ(forecast.allowed_bytes(200, 5), 605u) << "what is in use now may be more than was ever noted";
}

TEST(NeedForecast, ThePeakOutlivesItsWindow) {
  NeedForecast forecast;
  record(forecast, 1, kPeak);
  record(forecast, NeedForecast::kWindow, kPeak / 2);
  EXPECT_GE(forecast.allowed_bytes(0, 0), 3 * (kPeak - kPeak / NeedForecast::kDecayDivisor));
}

TEST(NeedForecast, HalvesWithinElevenThousandListsThatNeedHalf) {
  NeedForecast forecast;
  record(forecast, NeedForecast::kWindow, kPeak);
  record(forecast, 5'000, kPeak / 3);
  EXPECT_GT(forecast.allowed_bytes(0, 0), 3 * kPeak / 2);
  record(forecast, 7'000, kPeak / 3);
  EXPECT_LT(forecast.allowed_bytes(0, 0), 3 * kPeak / 2);
  EXPECT_GE(forecast.allowed_bytes(0, 0), 3 * (kPeak / 3)) << "never below what is needed";
}

TEST(NeedForecast, DecaysFasterBelowAQuarterOfThePeak) {
  NeedForecast steady, changed;
  record(steady, NeedForecast::kWindow, kPeak);
  record(changed, NeedForecast::kWindow, kPeak);
  record(steady, 1'000, kPeak / 3);
  record(changed, 1'000, kPeak / 8);
  EXPECT_GT(steady.allowed_bytes(0, 0), 3 * kPeak / 100 * 90);
  EXPECT_LT(changed.allowed_bytes(0, 0), 3 * kPeak / 100 * 55) << "until it is less than four times what is needed";
}

TEST(NeedForecast, AFlushOfOthersIsDueOnceInEightLists) {
  NeedForecast forecast;
  int flushes = 0;
  for (int list = 0; list < 80; ++list) {
    forecast.begin_list(0);
    flushes += forecast.may_flush_others() ? 1 : 0;
    EXPECT_FALSE(forecast.may_flush_others()) << "twice in one list";
  }
  EXPECT_EQ(flushes, 10);
}

}  // namespace
}  // namespace heddle
