// The CPU device beside its queues: what it says of itself, and segments.
#include "heddle/backends/cpu/device.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "heddle/backends/cpu/open.hpp"

namespace heddle {
namespace {

class CpuDeviceTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(open_cpu({.workers = 1, .kernels = CpuKernels::kPortable}, &device_).ok()); }
  std::unique_ptr<Device> device_;
};

TEST_F(CpuDeviceTest, SaysWhatItIs) {
  EXPECT_EQ(device_->info().backend, "cpu");
  EXPECT_TRUE(device_->info().executes_on_caller);
  EXPECT_GT(device_->info().memory_bytes, 0u);
  EXPECT_TRUE(device_->supports(KernelId::kFill, Dtype::kFloat32));
}

TEST_F(CpuDeviceTest, SegmentsCanBeWrittenAndLargeOnesLieInHugePages) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  struct Segment {
    void* address;
    std::size_t bytes;
  };
  std::vector<Segment> segments;
  // Held together, and of odd sizes, so that the system has no reason of its own to align them.
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4096}, kHugePage, kHugePage + 4096, kHugePage,
                                  kHugePage + 1, 3 * kHugePage - 4096, kHugePage}) {
    void* segment = nullptr;
    ASSERT_TRUE(device_->allocate_segment(bytes, &segment).ok());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(segment) % (bytes < kHugePage ? 4096 : kHugePage), 0u) << bytes;
    std::memset(segment, 1, bytes);
    segments.push_back({segment, bytes});
  }
  for (const Segment& segment : segments) {
    const auto* bytes = static_cast<const unsigned char*>(segment.address);
    EXPECT_EQ(bytes[0] + bytes[segment.bytes - 1], 2) << "a neighbour's end took it away";
    device_->release_segment(segment.address, segment.bytes);
  }
}

TEST_F(CpuDeviceTest, RefusedSegmentsSayHowMuchWasAskedFor) {
  void* segment = device_.get();  // not null
  const Status status = device_->allocate_segment(std::size_t{1} << 60, &segment);
  EXPECT_EQ(status.kind(), ErrorKind::kOutOfMemory);
  EXPECT_NE(status.text().find("1152921504606846976 bytes"), std::string_view::npos) << status.text();
  EXPECT_EQ(segment, nullptr);
}

}  // namespace
}  // namespace heddle
