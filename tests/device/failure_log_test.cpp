#include "heddle/device/failure_log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace heddle {
namespace {

Status error(const std::string& text) { return {ErrorKind::kDeviceError, text}; }

TEST(FailureLog, FreshLogHasNoErrors) {
  const FailureLog log;
  EXPECT_FALSE(log.failing());
  EXPECT_TRUE(log.status_of(Ticket{1}).ok());
  EXPECT_TRUE(log.open_error().ok());
}

TEST(FailureLog, RangeFromFailToClear) {
  FailureLog log;
  log.fail(Ticket{5}, error("first"));
  EXPECT_TRUE(log.failing());
  EXPECT_TRUE(log.status_of(Ticket{4}).ok());
  EXPECT_EQ(log.status_of(Ticket{5}).text(), "first");
  EXPECT_EQ(log.status_of(Ticket{1'000'000}).text(), "first");
  log.clear(Ticket{8});
  EXPECT_FALSE(log.failing());
  EXPECT_TRUE(log.open_error().ok());
  EXPECT_EQ(log.status_of(Ticket{8}).text(), "first");
  EXPECT_TRUE(log.status_of(Ticket{9}).ok());
}

TEST(FailureLog, FirstErrorWins) {
  FailureLog log;
  log.fail(Ticket{1}, error("first"));
  log.fail(Ticket{2}, error("second"));
  EXPECT_EQ(log.open_error().text(), "first");
  EXPECT_EQ(log.status_of(Ticket{2}).text(), "first");
  log.clear(Ticket{3});
  log.fail(Ticket{4}, error("third"));
  EXPECT_EQ(log.status_of(Ticket{3}).text(), "first");
  EXPECT_EQ(log.status_of(Ticket{4}).text(), "third");
}

TEST(FailureLog, ClearWithoutAnErrorDoesNothing) {
  FailureLog log;
  log.clear(Ticket{3});
  log.fail(Ticket{4}, error("e"));
  log.clear(Ticket{4});
  log.clear(Ticket{9});
  EXPECT_TRUE(log.status_of(Ticket{5}).ok());
}

TEST(FailureLog, OldRangesMergeButStayFailed) {
  FailureLog log;
  constexpr std::uint64_t kRanges = 200;
  for (std::uint64_t i = 1; i <= kRanges; ++i) {
    log.fail(Ticket{i * 10}, error(std::to_string(i)));
    log.clear(Ticket{i * 10 + 4});
  }
  for (std::uint64_t i = 1; i <= kRanges; ++i) {
    EXPECT_FALSE(log.status_of(Ticket{i * 10}).ok()) << i;
    EXPECT_FALSE(log.status_of(Ticket{i * 10 + 4}).ok()) << i;
  }
  EXPECT_EQ(log.status_of(Ticket{kRanges * 10}).text(), "200");
  EXPECT_TRUE(log.status_of(Ticket{kRanges * 10 + 5}).ok());
}

TEST(FailureLog, ReadersSeeNoTornErrors) {
  FailureLog log;
  std::thread reader([&] {
    for (std::uint64_t i = 0; i < 2000; ++i) {
      const Status status = log.status_of(Ticket{i});
      if (!status.ok()) {
        EXPECT_EQ(status.text(), "e");
      }
    }
  });
  for (std::uint64_t i = 1; i < 500; ++i) {
    log.fail(Ticket{i * 2}, error("e"));
    log.clear(Ticket{i * 2});
  }
  reader.join();
}

}  // namespace
}  // namespace heddle
