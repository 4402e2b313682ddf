#include "heddle/memory_resource.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "heddle/tensor/memory_resource_access.hpp"
#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

TEST(MemoryResource, HoldsContainers) {
  Runtime runtime;
  if (!runtime.device_info().host_accessible) GTEST_SKIP() << "the host cannot write the device's memory";
  MemoryResource resource(runtime);
  const std::size_t before = runtime.memory_statistics().live_blocks;
  {
    std::pmr::vector<int> numbers(&resource);
    for (int i = 0; i < 10'000; ++i) numbers.push_back(i);
    EXPECT_EQ(std::accumulate(numbers.begin(), numbers.end(), 0), 49'995'000);
    EXPECT_EQ(runtime.memory_statistics().live_blocks, before + 1);
  }
  EXPECT_EQ(runtime.memory_statistics().live_blocks, before);
  EXPECT_TRUE(resource.is_equal(resource));
}

TEST(MemoryResource, ThreadsGiveBackWhatOthersAllocated) {
  TestMemory test;
  MemoryResource resource = MemoryResourceAccess::make(test.sim().pool(), test.memory());
  std::vector<void*> pointers;
  for (int i = 0; i < 100; ++i) pointers.push_back(resource.allocate(1000));
  elsewhere([&] {
    for (void* pointer : pointers) resource.deallocate(pointer, 1000);
  });
  EXPECT_EQ(test.statistics().live_blocks, 0u);
}

// C01, C02: a pointer is looked up once, and the look-up takes the block out of the table. A stale or foreign pointer
// finds nothing, also when its address is in use again elsewhere.
TEST(MemoryResource, C02_StaleAndForeignPointersAreRefused) {
  TestMemory test;
  MemoryResource resource = MemoryResourceAccess::make(test.sim().pool(), test.memory());
  MemoryResource other = MemoryResourceAccess::make(test.sim().pool(), test.memory());
  void* pointer = resource.allocate(1000);
  resource.deallocate(pointer, 1000);
  const std::string again = text_of<InvalidArgument>([&] { resource.deallocate(pointer, 1000); });
  EXPECT_TRUE(contains(again, "was not allocated by this resource, or was given back before")) << again;
  void* reused = other.allocate(1000);
  EXPECT_EQ(reused, pointer);
  EXPECT_THROW(resource.deallocate(pointer, 1000), InvalidArgument);
  other.deallocate(reused, 1000);
  int local = 0;
  EXPECT_THROW(resource.deallocate(&local, 4), InvalidArgument);
  EXPECT_THROW(static_cast<void>(resource.allocate(1000, 512)), InvalidArgument);
}

// C01: two threads give the same pointer back; one of them is told.
TEST(MemoryResource, C01_OfTwoThatGiveAPointerBackOneIsTold) {
  TestMemory test;
  MemoryResource resource = MemoryResourceAccess::make(test.sim().pool(), test.memory());
  for (int round = 0; round < 200; ++round) {
    void* pointer = resource.allocate(100);
    sync::Atomic<int> refused{0};
    const auto give = [&] {
      try {
        resource.deallocate(pointer, 100);
      } catch (const InvalidArgument&) {
        refused.fetch_add(1);
      }
    };
    std::thread other(give);
    give();
    other.join();
    ASSERT_EQ(refused.load(), 1);
  }
  EXPECT_EQ(test.statistics().live_blocks, 0u);
}

TEST(StreamResource, HasTheShapeOfAStreamOrderedResource) {
  SimCore sim;
  StreamResource<int> resource(sim);
  StreamResource<int> same = resource;
  EXPECT_TRUE(resource == same);
  void* pointer = resource.allocate(0, 1000, 256);
  same.deallocate(0, pointer, 1000, 256);
  pointer = resource.allocate_sync(1000, 16);
  resource.deallocate_sync(pointer, 1000, 16);
  EXPECT_EQ(sim.core().memory().statistics().live_blocks, 0u);
}

}  // namespace
}  // namespace heddle
