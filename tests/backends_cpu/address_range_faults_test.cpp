// Segments while the system refuses calls. Each test is a process of its own, as refusals are for ever.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "heddle/backends/cpu/address_range.hpp"
#include "heddle/backends/cpu/open.hpp"
#include "own_process.hpp"
#include "sandbox.hpp"

namespace heddle::cpu {
namespace {

using test::in_own_process;
using test::refuse_system_calls;
using test::RefusedCall;
using test::require;
using test::skip;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kSegment = 2 * kMiB;

const RefusedCall kNoAccess{SYS_mprotect, 2, PROT_NONE, true};
const RefusedCall kWriting{SYS_mprotect, 2, PROT_WRITE};
const RefusedCall kAdvice{SYS_madvise};
const RefusedCall kInPlace{SYS_mmap, 3, MAP_FIXED};
const RefusedCall kUnmapping{SYS_munmap};

// Pages of the segment that are in memory; -1 where it is not mapped.
long resident(const std::byte* segment, std::size_t bytes = kSegment) {
  std::vector<unsigned char> pages(bytes / AddressRange::kPage);
  if (mincore(const_cast<std::byte*>(segment), bytes, pages.data()) != 0) return -1;  // NOLINT: the call's signature
  return std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; });
}

std::byte* filled(AddressRange& range, int value = 1, std::size_t bytes = kSegment) {
  auto* const segment = static_cast<std::byte*>(range.allocate(bytes));
  require(segment != nullptr, "a segment is allocated");
  std::memset(segment, value, bytes);
  return segment;
}

// Makes mappings until the kernel allows no more.
void use_up_mappings() {
  constexpr std::size_t kTwoPages = 2 * AddressRange::kPage;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  for (;;) {
    void* const mapping = mmap(nullptr, kTwoPages, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (mapping == MAP_FAILED || mprotect(mapping, AddressRange::kPage, PROT_READ) != 0) return;
  }
}

// Three segments; the middle one goes and comes again while `refused` holds.
void middle_goes_and_comes(void (*refuse)(), bool memory_goes) {
  AddressRange range(64 * kMiB);
  std::byte* const first = filled(range, 1);
  std::byte* const middle = filled(range, 2);
  std::byte* const last = filled(range, 3);
  refuse();
  range.release(middle, kSegment);
  require(resident(middle) == (memory_goes ? 0 : static_cast<long>(kSegment / AddressRange::kPage)),
          memory_goes ? "its memory was given back" : "its memory is left where it is");
  auto* const again = static_cast<std::byte*>(range.allocate(kSegment));
  require(again == middle, "its addresses are used again");
  if (memory_goes) require(again[kMiB] == std::byte{0}, "and read as zeros");
  std::memset(again, 4, kSegment);
  require(first[kSegment - 1] == std::byte{1} && last[0] == std::byte{3}, "the neighbours are as they were");
  for (std::byte* segment : {first, again, last}) range.release(segment, kSegment);
  if (memory_goes) require(resident(first, 3 * kSegment) == 0, "nothing is left");
  if (refuse == use_up_mappings) return;  // one segment for everything would need more of them
  void* const all = range.allocate(64 * kMiB - kSegment);
  require(all != nullptr, "everything joined again");
  range.release(all, 64 * kMiB - kSegment);
}

void refuse(std::initializer_list<RefusedCall> calls, int error) {
  if (!refuse_system_calls(calls, error)) skip();
}

class AddressRangeFaults : public testing::Test {
 protected:
  void SetUp() override {
    if (test::kSanitized) GTEST_SKIP() << "the sanitizer needs the calls that are refused here";
  }
};

TEST_F(AddressRangeFaults, AFullTableOfMappings) {
  in_own_process([] { middle_goes_and_comes(use_up_mappings, true); });
}

TEST_F(AddressRangeFaults, AccessThatCannotBeTakenAway) {
  in_own_process([] { middle_goes_and_comes([] { refuse({kNoAccess}, ENOMEM); }, true); });
}

TEST_F(AddressRangeFaults, RefusedAdviceIsReplacedByAMappingInPlace) {
  in_own_process([] { middle_goes_and_comes([] { refuse({kAdvice}, EINVAL); }, true); });
}

TEST_F(AddressRangeFaults, WhereEveryWayIsRefusedTheNextSegmentUsesTheMemory) {
  in_own_process([] { middle_goes_and_comes([] { refuse({kAdvice, kInPlace}, EPERM); }, false); });
}

void lock_memory() {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) skip();
}

TEST_F(AddressRangeFaults, LockedMemoryIsGivenBackToo) {
  in_own_process([] { middle_goes_and_comes(lock_memory, true); });
}

TEST_F(AddressRangeFaults, LockedMemoryIsGivenBackInPlace) {
  in_own_process([] {
    middle_goes_and_comes(
        [] {
          lock_memory();
          refuse({kInPlace}, EPERM);
        },
        true);
  });
}

// After ENOMEM the kernel does not say whether the old mapping is there: it is neither used nor unmapped.
TEST_F(AddressRangeFaults, AddressesThatMayBeUnmappedAreLeftAlone) {
  in_own_process([] {
    std::byte* middle = nullptr;
    std::byte* last = nullptr;
    {
      AddressRange range(64 * kMiB);
      filled(range);
      middle = filled(range, 2);
      last = filled(range);
      refuse({kAdvice, kInPlace}, ENOMEM);
      range.release(middle, kSegment);
      require(range.allocate(kSegment) > last, "its addresses are not used again");
    }
    require(resident(last + 4 * kSegment) == -1, "the rest of the range went");
    require(middle[kMiB] == std::byte{2}, "what may be another's now is as it was");
  });
}

TEST_F(AddressRangeFaults, ARefusedSegmentLeavesItsAddressesFree) {
  in_own_process([] {
    AddressRange range(8 * kMiB);
    std::byte* const first = filled(range);
    refuse({kWriting}, ENOMEM);
    for (int i = 0; i < 100; ++i) {
      errno = 0;
      require(range.allocate(kSegment) == nullptr && errno == ENOMEM, "a segment is refused, with the system's reason");
    }
    range.release(first, kSegment);
  });
}

TEST_F(AddressRangeFaults, ARangeThatCannotBeUnmappedHoldsNoMemory) {
  in_own_process([] {
    std::byte* segment = nullptr;
    {
      AddressRange range(8 * kMiB);
      segment = filled(range);
      refuse({kUnmapping}, ENOMEM);
      range.release(segment, kSegment);
    }
    require(resident(segment) == 0, "its memory was given back");
  });
}

// Where no range could be reserved, segments come from the C library's allocator, which may keep what it gets.
TEST_F(AddressRangeFaults, SegmentsOutsideTheRangeGiveTheirMemoryBackToo) {
  in_own_process([] {
    const RefusedCall reserving{SYS_mmap, 3, MAP_NORESERVE};
    refuse({reserving, kUnmapping}, ENOMEM);
    std::unique_ptr<Device> device;
    require(open_cpu({.workers = 1, .kernels = CpuKernels::kPortable}, &device).ok(), "the device opens");
    void* segment = nullptr;
    require(device->allocate_segment(kSegment, &segment).ok(), "a segment is there");
    std::memset(segment, 1, kSegment);
    device->release_segment(segment, kSegment);
    require(resident(static_cast<std::byte*>(segment)) <= 1, "its memory was given back");
  });
}

}  // namespace
}  // namespace heddle::cpu
