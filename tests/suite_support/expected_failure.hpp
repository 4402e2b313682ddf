// What the conformance suites share: needs of a test, and failures that are expected.
#pragma once

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

// In the body of a test: skips it where `holds` is false.
#define SUITE_NEEDS(holds, why) \
  if (!(holds)) GTEST_SKIP() << why

#ifdef HEDDLE_SANITIZED  // which has the operators of the program
#define SUITE_NEEDS_FAILING_MEMORY() \
  GTEST_SKIP() << "under a sanitizer the allocations of a program cannot be made to fail"
#else
#define SUITE_NEEDS_FAILING_MEMORY() static_cast<void>(0)
#endif

namespace heddle::suite {

// The names of tests without their suite and parameter, each with the reason why it fails.
using ExpectedFailures = std::map<std::string, std::string>;

// Of the test that runs: where a failure is expected, failures are reported as a skipped test with the reason, and a
// test that passes is a failure.
class ExpectedFailure {
 public:
  void begin(const ExpectedFailures& expected);  // first in SetUp
  void conclude();                               // last in TearDown
  bool expected() const { return !reason_.empty(); }

 private:
  std::string reason_;
  testing::TestPartResultArray results_;
  std::optional<testing::ScopedFakeTestPartResultReporter> interceptor_;
};

}  // namespace heddle::suite
