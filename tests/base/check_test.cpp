#include "heddle/base/check.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace heddle {
namespace {

TEST(CheckDeathTest, AFailedCheckSaysWhatAndWhere) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const int streams = 0;
  EXPECT_DEATH(HEDDLE_CHECK(streams > 0, "no stream"),
               "internal error: no stream \\(streams > 0\\) at .*check_test.cpp");
}

TEST(CheckDeathTest, TheEndOfTheProcessIsOneLine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(end_process("the system took the floor away"), testing::KilledBySignal(SIGABRT),
              "^heddle: the system took the floor away\n$");
}

TEST(Check, APassedCheckIsSilent) { HEDDLE_CHECK(true, "never seen"); }

}  // namespace
}  // namespace heddle
