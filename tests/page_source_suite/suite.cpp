#include "page_source_suite/suite.hpp"

namespace heddle::suite {

Status LedgerPages::allocate(std::size_t bytes, void** out) {
  Status status = PageDecorator::allocate(bytes, out);
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  try {
    EXPECT_TRUE(segments_.emplace(*out, bytes).second) << "a segment was given twice";
  } catch (...) {
    PageDecorator::release(*out, bytes);
    throw;
  }
  return status;
}

void LedgerPages::release(void* segment, std::size_t bytes) noexcept {
  {
    const std::lock_guard lock(mutex_);
    const auto found = segments_.find(segment);
    if (found == segments_.end()) {
      ADD_FAILURE() << "a segment came back that was not given";
      return;
    }
    EXPECT_EQ(found->second, bytes) << "a segment came back in part";
    segments_.erase(found);
  }
  PageDecorator::release(segment, bytes);
}

std::size_t LedgerPages::bytes_of(void* segment) const {
  const std::lock_guard lock(mutex_);
  const auto found = segments_.find(segment);
  return found == segments_.end() ? 0 : found->second;
}

std::size_t LedgerPages::held() const {
  const std::lock_guard lock(mutex_);
  return segments_.size();
}

void PageSourceSuite::SetUp() {
  expected_failure_.begin(GetParam().expected_failures);
  const Status opened = GetParam().open(&device_);
  if (!opened.ok()) GTEST_SKIP() << opened.text();
  free_bytes_ = device_->memory_info().free_bytes;
  pages_ = std::make_unique<DevicePages>(*device_);
  ledger_ = std::make_unique<LedgerPages>(*pages_);
  // Without a policy the ledger is the source: it changes nothing.
  source_ = GetParam().stack ? GetParam().stack(*ledger_) : std::shared_ptr<PageSource>(ledger_.get(), [](auto*) {});
}

void PageSourceSuite::TearDown() {
  if (ledger_ != nullptr) {
    EXPECT_EQ(ledger_->held(), 0U) << "segments were not given back";
    if (GetParam().counts_memory) {
      EXPECT_EQ(device_->memory_info().free_bytes, free_bytes_) << "the device has lost memory";
    }
  }
  source_.reset();
  expected_failure_.conclude();
}

}  // namespace heddle::suite
