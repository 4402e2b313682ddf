#include "heddle/base/error.hpp"

#include <gtest/gtest.h>

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

TEST(Status, EveryKindHasAName) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kUnsupported); ++kind) {
    EXPECT_NE(name_of(static_cast<ErrorKind>(kind)), "unknown");
  }
}

}  // namespace
}  // namespace heddle
