#include "suite_support/expected_failure.hpp"

namespace heddle::suite {

void ExpectedFailure::begin(const ExpectedFailures& expected) {
  const std::string test = testing::UnitTest::GetInstance()->current_test_info()->name();
  const auto found = expected.find(test.substr(0, test.find('/')));
  if (found == expected.end()) return;
  reason_ = found->second;
  interceptor_.emplace(testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &results_);
}

void ExpectedFailure::conclude() {
  if (!interceptor_) return;
  interceptor_.reset();
  std::string skipped;
  for (int i = 0; i < results_.size(); ++i) {
    const testing::TestPartResult& part = results_.GetTestPartResult(i);
    if (part.failed()) GTEST_SKIP() << "expected failure: " << reason_;
    if (part.skipped()) skipped = part.message();
  }
  if (!skipped.empty()) GTEST_SKIP() << skipped;
  ADD_FAILURE() << "passes, though it is expected to fail: " << reason_ << "; remove the expectation";
}

}  // namespace heddle::suite
