// Segments, host memory, and reading device memory.
#include <bit>
#include <cstring>
#include <thread>

#include "device_suite/suite.hpp"

namespace heddle::suite {
namespace {

bool overlap(const void* left, const void* right, std::size_t bytes) {
  const auto l = reinterpret_cast<std::uintptr_t>(left);
  const auto r = reinterpret_cast<std::uintptr_t>(right);
  return l < r + bytes && r < l + bytes;
}

TEST_P(DeviceSuite, AllocateSegment_GivesAlignedMemoryThatIsItsOwn) {
  const std::size_t bytes = 4 * info().segment_granule;
  std::vector<void*> segments(6, nullptr);
  for (void*& segment : segments) {
    ASSERT_TRUE(device().allocate_segment(bytes, &segment).ok());
    ASSERT_NE(segment, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(segment) % 4096, 0U);
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(overlap(segments[i], segments[j], bytes));
  }
  for (void* segment : segments) device().release_segment(segment, bytes);
}

TEST_P(DeviceSuite, AllocateSegment_AllOfItCanBeWrittenAndRead) {
  SUITE_NEEDS_RESULTS();
  const std::size_t bytes = 2 * info().segment_granule;
  void* first = nullptr;
  void* second = nullptr;
  ASSERT_TRUE(device().allocate_segment(bytes, &first).ok());
  ASSERT_TRUE(device().allocate_segment(bytes, &second).ok());
  const std::uint64_t count = bytes / sizeof(float);
  CommandList list;
  list.append(KernelId::kFill, FillArgs{first, count, std::bit_cast<std::uint32_t>(1.0F)});
  list.append(KernelId::kFill, FillArgs{second, count, std::bit_cast<std::uint32_t>(2.0F)});
  submit(a(), std::move(list));
  ASSERT_TRUE(reach(a()));
  for (const auto& [segment, value] : {std::pair{first, 1.0F}, std::pair{second, 2.0F}}) {
    std::vector<float> read(count);
    ASSERT_TRUE(device().read_memory(read.data(), segment, bytes).ok());
    EXPECT_EQ(read, std::vector<float>(count, value));
    device().release_segment(segment, bytes);
  }
}

TEST_P(DeviceSuite, AllocateSegment_ARefusalIsAStatusAndChangesNothing) {
  void* segment = this;  // not null
  const Status status = device().allocate_segment(std::size_t{1} << 60, &segment);
  EXPECT_TRUE(status.kind() == ErrorKind::kOutOfMemory || status.kind() == ErrorKind::kDeviceError) << status.text();
  EXPECT_FALSE(status.text().empty());
  EXPECT_EQ(segment, nullptr);
  ASSERT_TRUE(device().allocate_segment(info().segment_granule, &segment).ok());
  device().release_segment(segment, info().segment_granule);
  submit(a(), fill(0, 1));
  EXPECT_TRUE(reach(a()));
  EXPECT_TRUE(device().lost().ok());
}

TEST_P(DeviceSuite, AllocateSegment_FromManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 20; ++i) {
        void* segment = nullptr;
        EXPECT_TRUE(device().allocate_segment(info().segment_granule, &segment).ok());
        device().release_segment(segment, info().segment_granule);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(DeviceSuite, ReleaseSegment_MakesRoomForTheNext) {
  // More in all than a small device has (enroll_sim.cpp).
  const std::size_t bytes = std::size_t{64} << 20;
  for (int i = 0; i < 100; ++i) {
    void* segment = nullptr;
    ASSERT_TRUE(device().allocate_segment(bytes, &segment).ok()) << i;
    device().release_segment(segment, bytes);
  }
}

TEST_P(DeviceSuite, ReleaseSegment_InAnyOrder) {
  std::vector<void*> segments(8, nullptr);
  const std::size_t bytes = info().segment_granule;
  for (void*& segment : segments) ASSERT_TRUE(device().allocate_segment(bytes, &segment).ok());
  for (const std::size_t i : {3, 0, 7, 4, 1, 6, 2, 5}) device().release_segment(segments[i], bytes);
  for (void*& segment : segments) ASSERT_TRUE(device().allocate_segment(bytes, &segment).ok());
  for (void* segment : segments) device().release_segment(segment, bytes);
}

TEST_P(DeviceSuite, AllocateHost_GivesAlignedMemoryThatTheDeviceCopies) {
  constexpr std::size_t kBytes = 1000;
  const std::shared_ptr<std::byte> in = device().allocate_host(kBytes);
  const std::shared_ptr<std::byte> out = device().allocate_host(kBytes);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(in.get()) % 64, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(out.get()) % 64, 0U);
  for (std::size_t i = 0; i < kBytes; ++i) in.get()[i] = static_cast<std::byte>(i % 251);
  std::memset(out.get(), 0, kBytes);
  CommandList list;
  list.append(KernelId::kCopyBytes, CopyBytesArgs{cell(0), in.get(), 200});
  list.append(KernelId::kCopyBytes, CopyBytesArgs{out.get(), cell(0), 200});
  submit(a(), std::move(list));
  ASSERT_TRUE(reach(a()));
  if (GetParam().computes_results) {
    EXPECT_EQ(std::memcmp(in.get(), out.get(), 200), 0);
  }
  EXPECT_EQ(std::to_integer<int>(out.get()[200]), 0);
}

TEST_P(DeviceSuite, ReadMemory_CopiesWhatFinishedWorkWrote) {
  SUITE_NEEDS_RESULTS();
  CommandList list = fill(0, 3);
  append_fill(list, cell(1), 4);
  submit(a(), std::move(list));
  ASSERT_TRUE(reach(a()));
  float read[2] = {};
  ASSERT_TRUE(device().read_memory(read, cell(0), sizeof(read)).ok());
  EXPECT_EQ(read[0], 3);
  EXPECT_EQ(read[1], 4);
}

TEST_P(DeviceSuite, ReadMemory_WaitsForNoUnfinishedWork) {
  SUITE_NEEDS_RESULTS();
  SUITE_NEEDS_HOLD();
  submit(a(), fill(0, 3));
  ASSERT_TRUE(reach(a()));
  CommandList held = held_list(b());
  append_fill(held, cell(1), 4);
  submit_held(b(), std::move(held));
  EXPECT_EQ(value_of(0), 3);  // a wait would never end
  EXPECT_EQ(b().queue->completed(), Ticket{0});
}

TEST_P(DeviceSuite, MemoryInfo_IsWithinTheTotal) {
  const MemoryInfo memory = device().memory_info();
  EXPECT_LE(memory.free_bytes, memory.total_bytes);
  EXPECT_EQ(memory.total_bytes == 0, info().memory_bytes == 0) << "known or not";
}

}  // namespace
}  // namespace heddle::suite
