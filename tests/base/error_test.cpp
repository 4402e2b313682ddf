#include "heddle/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace heddle {
namespace {

TEST(Status, RaisesTheExceptionOfItsKind) {
  EXPECT_NO_THROW(Status().raise());
  EXPECT_THROW(Status(ErrorKind::kOutOfMemory, "full").raise(), OutOfMemory);
  EXPECT_THROW(Status(ErrorKind::kDeviceLost, "gone").raise(), DeviceLost);
  EXPECT_THROW(Status(ErrorKind::kNotCommitted, "x").raise(), NotCommitted);
  try {
    Status(ErrorKind::kTimeout, "after 3 s").raise();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTimeout);
    EXPECT_STREQ(error.what(), "after 3 s");
  }
}

TEST(Status, MakesItsTextOnlyWhereItMay) {
  const Status status(ErrorKind::kTimeout, [] { return std::string("after 3 s"); });
  EXPECT_EQ(status.text(), "after 3 s");
  const Status other = status.as(ErrorKind::kDeviceLost);
  EXPECT_EQ(other.kind(), ErrorKind::kDeviceLost);
  EXPECT_EQ(other.text(), "after 3 s");
  EXPECT_EQ(status.kind(), ErrorKind::kTimeout);
  EXPECT_EQ(Status().text(), "");
}

TEST(Status, EveryKindHasAName) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kUnsupported); ++kind) {
    EXPECT_NE(name_of(static_cast<ErrorKind>(kind)), "unknown");
  }
}

}  // namespace
}  // namespace heddle
