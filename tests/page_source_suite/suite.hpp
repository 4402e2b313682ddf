// The fixture of the page source suite: the source of an enrollment, which stands over a ledger of what the device's
// own source has lent.
//
// A source enters by an Enrollment and one INSTANTIATE_TEST_SUITE_P.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>

#include "heddle/backends/sim/open.hpp"
#include "heddle/memory/page_source.hpp"
#include "suite_support/expected_failure.hpp"

namespace heddle::suite {

// Counts a segment that comes back otherwise than it was given as an error of the test.
class LedgerPages final : public PageDecorator {
 public:
  explicit LedgerPages(PageSource& below) : PageDecorator(below) {}
  Status allocate(std::size_t bytes, void** out) override;
  void release(void* segment, std::size_t bytes) noexcept override;
  // Of the segment that begins there; 0: none.
  std::size_t bytes_of(void* segment) const;
  std::size_t held() const;

 private:
  mutable std::mutex mutex_;
  std::map<void*, std::size_t> segments_;
};

inline constexpr std::size_t kSmall = std::size_t{64} << 20;
inline Status open_small(std::unique_ptr<Device>* out) { return open_sim({.memory_bytes = kSmall}, out); }

struct Enrollment {
  std::string name;
  // The device below. Where it does not open, the tests are skipped with the reason.
  std::function<Status(std::unique_ptr<Device>*)> open = open_small;
  // MemoryInfo says exactly what the device has lent.
  bool counts_memory = true;
  // The policies under test, over the given source; by default none.
  std::function<std::shared_ptr<PageSource>(PageSource&)> stack = nullptr;
  ExpectedFailures expected_failures = {};
};

inline std::string name_of_enrollment(const testing::TestParamInfo<Enrollment>& info) { return info.param.name; }
inline void PrintTo(const Enrollment& enrollment, std::ostream* out) { *out << enrollment.name; }

class PageSourceSuite : public testing::TestWithParam<Enrollment> {
 protected:
  void SetUp() override;
  void TearDown() override;
  PageSource& source() { return *source_; }
  LedgerPages& ledger() { return *ledger_; }
  Device& device() { return *device_; }

 private:
  ExpectedFailure expected_failure_;
  std::unique_ptr<Device> device_;
  std::size_t free_bytes_ = 0;  // at first
  std::unique_ptr<DevicePages> pages_;
  std::unique_ptr<LedgerPages> ledger_;
  std::shared_ptr<PageSource> source_;
};

}  // namespace heddle::suite
