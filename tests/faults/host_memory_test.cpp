// Host memory that runs out: the n-th allocation of a call fails, alone or with all later ones, for n = 1, 2, ... until
// the call needs no more. After each failure the stream must be usable, nothing recorded may be lost, and no count may
// be wrong.
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "faults/failing_memory.hpp"
#include "heddle/backends/cpu/open.hpp"
#include "heddle/heddle.hpp"
#include "memory/memory_fixture.hpp"

// The operators of the whole program (faults/failing_memory.hpp).
namespace {

void* allocate(std::size_t bytes, std::size_t alignment) {
  heddle::test::fail_if_due();
  void* memory = nullptr;
  if (posix_memalign(&memory, std::max(alignment, sizeof(void*)), bytes) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace heddle {
namespace {

using test::fails_at;
using test::fails_in;
using test::for_ever;
using test::has_failed;

constexpr std::size_t kMost = 200;

class HostMemory : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { for_ever = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(OnceAndForEver, HostMemory, testing::Bool());

TEST_P(HostMemory, C58_ToHostThatFailsLeavesNoCopyIntoFreedMemory) {
  Runtime runtime;
  const Tensor x = full(runtime, {1024}, 1.0f);
  runtime.synchronize();
  std::size_t n = 1;
  const auto to_host = [&] { EXPECT_EQ(x.to_host(), std::vector<float>(1024, 1.0f)); };
  for (; n < kMost && fails_at(n, to_host); ++n) {
    const std::vector<std::vector<float>> others(16, std::vector<float>(1024, -1.0f));  // would get that memory
    ASSERT_NO_THROW(runtime.synchronize()) << n;
    for (const auto& other : others) ASSERT_EQ(other, std::vector<float>(1024, -1.0f)) << n;
    to_host();
  }
  EXPECT_GT(n, 1u);
  EXPECT_LT(n, kMost);
}

TEST_P(HostMemory, C30_CallsOnAStreamThatFailLoseNothing) {
  Runtime runtime;
  sync::Atomic<std::uint64_t> told{0};
  const CompletionHandler handler = [&](const Status& status) { told.fetch_add(status.ok() ? 1 : 0); };
  std::vector<Tensor> kept;  // device memory is freed where host memory is available
  kept.reserve(8);
  const std::vector<std::function<void()>> calls = {
      [&] { runtime.commit(); },
      [&] { runtime.try_commit(); },
      [&] { runtime.synchronize(); },
      [&] { runtime.record_event(); },
      [&] { runtime.on_complete(handler); },
      [&] { runtime.handler_statistics(); },
      [&] { kept.push_back(randn(runtime, {8})); },
      [&] {
        kept.push_back(full(runtime, {4, 4}, 1.0f));
        kept.push_back(matmul(kept.back(), kept.back()));
        runtime.commit();
      },
      [&] {
        kept.push_back(zeros(runtime, {1}));
        kept.back().item();
      },
  };
  for (std::size_t call = 0; call < calls.size(); ++call) {
    std::size_t n = 1;
    for (; n < kMost; ++n) {
      const Tensor before = full(runtime, {4}, static_cast<float>(n));
      const bool failed = fails_at(n, calls[call]);
      kept.clear();
      const Tensor after = add(before, before);
      ASSERT_EQ(after.to_host(), std::vector<float>(4, 2.0f * static_cast<float>(n))) << call << ' ' << n;
      if (!failed) break;
    }
    EXPECT_LT(n, kMost) << call;
  }
  const ShutdownReport report = runtime.shutdown();
  EXPECT_TRUE(report.complete) << report.text();
  EXPECT_EQ(report.abandoned, 0u);
  EXPECT_EQ(report.handlers_run, told.load());
  EXPECT_EQ(report.leaked_blocks, 0u);
}

// A lease that ends cannot throw: it defers commits that fail.
TEST_P(HostMemory, C49_ALeaseThatCannotCommitAtItsEndLosesNothing) {
  for (const bool elsewhere : {false, true}) {
    std::size_t n = 1;
    for (bool failed = true; failed && n < kMost; ++n) {
      Runtime runtime;
      std::optional<Lease> lease(runtime.lease());
      const Tensor x = randn(runtime, {4});
      const auto end = [&] { failed = fails_at(n, [&] { lease.reset(); }); };
      if (elsewhere) {
        std::thread(end).join();
      } else {
        end();
      }
      const Lease next = runtime.lease();
      ASSERT_EQ(x.to_host().size(), 4u) << n;
      ASSERT_TRUE(runtime.shutdown().complete) << n;
    }
    EXPECT_LT(n, kMost);
  }
}

TEST_P(HostMemory, C49_AThreadThatCannotCommitAtItsEndLosesNothing) {
  // The key of this thread-specific data is younger than the library's, so its destructor runs after the thread's
  // leases ended.
  Runtime first;
  first.synchronize();
  pthread_key_t key{};
  ASSERT_EQ(pthread_key_create(&key,
                               [](void* failed) {
                                 *static_cast<bool*>(failed) = has_failed;
                                 fails_in = 0;
                               }),
            0);
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    ASSERT_LT(n, kMost);
    Runtime runtime;
    Tensor x;
    std::thread([&] {
      pthread_setspecific(key, &failed);
      x = randn(runtime, {4});
      has_failed = false;
      fails_in = n;
    }).join();
    const ShutdownReport report = runtime.shutdown();
    ASSERT_TRUE(report.complete) << report.text();
    ASSERT_EQ(report.abandoned, 0u);
    ASSERT_GT(report.completed, 0u);
  }
  pthread_key_delete(key);
}

// The pool knows every stream that a thread found: a shutdown commits the work recorded there.
TEST_P(HostMemory, C49_AFirstRecordingThatFailsLeavesNoStreamUnknown) {
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    ASSERT_LT(n, kMost);
    Runtime runtime;
    runtime.synchronize();  // excludes the main thread's stream
    const std::uint64_t before = runtime.core().device().executed()[static_cast<std::size_t>(KernelId::kFill)];
    std::barrier step(2);
    std::thread thread([&] {
      failed = fails_at(n, [&] { full(runtime, {4}, 1.0f); });
      full(runtime, {4}, 1.0f);
      step.arrive_and_wait();
      step.arrive_and_wait();
    });
    step.arrive_and_wait();
    const ShutdownReport report = runtime.shutdown();
    EXPECT_TRUE(report.complete) << n;
    EXPECT_EQ(report.abandoned, 0u) << n;
    EXPECT_GE(runtime.core().device().executed()[static_cast<std::size_t>(KernelId::kFill)] - before, 1u) << n;
    step.arrive_and_wait();
    thread.join();
  }
}

// Covers any room left in the list for the commands that a commit appends to the user's. A draw whose command finds no
// room in the list does not advance the generator.
TEST_P(HostMemory, C30_ADrawThatFailsDrawsNothing) {
  std::vector<float> right;
  {
    Runtime runtime;
    Generator generator(runtime, 5);
    right = randn(generator, {4}).to_host();
  }
  bool grew = false;
  for (int before = 56; before < 68; ++before) {  // so that the words of the list grow for the draw in some round
    for (std::size_t n = 1; n < kMost; ++n) {
      Runtime runtime;
      Generator generator(runtime, 5);
      const Tensor x = full(runtime, {4}, 1.0f);
      for (int i = 0; i < before; ++i) full(runtime, {4}, 1.0f);
      const bool failed = fails_at(n, [&] { randn(generator, {4}); });
      grew = grew || failed;
      if (!failed) break;
      ASSERT_EQ(randn(generator, {4}).to_host(), right) << before << ' ' << n;
    }
  }
  EXPECT_TRUE(grew);
}

TEST_P(HostMemory, C30_ACommitThatFailsAdvancesNoGeneratorTwice) {
  for (std::size_t fills = 0; fills < 70; ++fills) {
    const auto numbers = [&](std::size_t n, bool* failed) {
      Runtime runtime;  // a new one, whose lists have not grown
      std::vector<Tensor> kept;
      kept.reserve(100);
      std::vector<Generator> generators;
      for (std::uint64_t seed = 1; seed <= 3; ++seed) generators.emplace_back(runtime, seed);
      runtime.synchronize();
      for (Generator& generator : generators) kept.push_back(randn(generator, {4}));
      for (std::size_t i = 0; i < fills; ++i) kept.push_back(full(runtime, {4}, 1.0f));
      *failed = n != 0 && fails_at(n, [&] { runtime.commit(); });
      std::vector<float> all;
      for (Generator& generator : generators) {
        for (const float number : randn(generator, {4}).to_host()) all.push_back(number);
      }
      return all;
    };
    bool failed = false;
    const std::vector<float> right = numbers(0, &failed);
    std::size_t n = 1;
    do ASSERT_EQ(numbers(n, &failed), right) << fills << ' ' << n;
    while (failed && ++n < kMost);
    EXPECT_LT(n, kMost);
  }
}

// The handler thread can report only to the handler: it makes the task for the executor.
TEST_P(HostMemory, C30_AHandlerThatCannotBeHandedOverIsTold) {
  struct RunsAtOnce final : Executor {
    void execute(std::function<void()> task) override { task(); }
  };
  std::size_t n = 1;
  for (sync::Atomic<bool> failed{true}; failed.load() && n < kMost; ++n) {
    Runtime runtime;
    sync::Atomic<int> told{0};
    sync::Atomic<ErrorKind> kind{ErrorKind::kOk};
    runtime.on_complete([n](const Status&) {  // on the handler thread, immediately before
      has_failed = false;
      fails_in = n;
    });
    const auto handler = [&](const Status& status) {
      fails_in = 0;
      failed.store(has_failed);
      kind.store(status.kind());
      told.fetch_add(1);
    };
    runtime.on_complete(handler, {.name = "", .executor = std::make_shared<RunsAtOnce>()});
    EXPECT_TRUE(runtime.shutdown().complete) << n;
    EXPECT_EQ(told.load(), 1) << n;
    EXPECT_EQ(kind.load() == ErrorKind::kAbandoned, failed.load()) << n;
  }
  EXPECT_GT(n, 2u) << "the task takes memory";
  EXPECT_LT(n, kMost);
}

TEST_P(HostMemory, C42_AShutdownThatFailsInsideEndsAllTheSame) {
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    ASSERT_LT(n, kMost);
    Runtime runtime;
    const Tensor kept = full(runtime, {4}, 1.0f);
    runtime.on_complete([](const Status&) {});
    full(runtime, {4}, 2.0f);
    failed = fails_at(n, [&] { runtime.shutdown(std::chrono::seconds(5)); });
    const ShutdownReport again = runtime.shutdown();  // the same report, immediately
    EXPECT_THROW(full(runtime, {4}, 1.0f), Closed) << n;
    EXPECT_TRUE(again.complete || (failed && for_ever)) << n << ": memory that ran out once is available again";
  }
}

// Without the command for its last wait, a stream is not given out; it is once memory is there again.
TEST_P(HostMemory, C49_ALeaseThatEndsWithAWaitReturnsItsStream) {
  Options options;
  options.streams = options.streams_max = 1;
  std::size_t n = 1;
  for (bool failed = true; failed && n < kMost; ++n) {
    Runtime runtime(options);
    full(runtime, {4}, 1.0f);
    const Event event = runtime.record_event();
    std::thread([&] {
      std::optional<Lease> lease(runtime.lease());
      lease->wait(event);
      failed = fails_at(n, [&] { lease.reset(); });
      std::optional<Lease> next;
      EXPECT_NO_THROW(next.emplace(runtime.lease())) << n;
      if (next) EXPECT_NO_THROW(next->synchronize()) << n;
    }).join();
    EXPECT_TRUE(runtime.shutdown().complete) << n;
  }
  EXPECT_GT(n, 1u);
  EXPECT_LT(n, kMost);
}

// A wait with nothing after it orders nothing, so the end of its stream needs no command for it.
TEST_P(HostMemory, C42_AShutdownAfterAWaitNeedsNoMemory) {
  std::size_t n = 1;
  ShutdownReport report;
  for (bool failed = true; failed && n < kMost; ++n) {
    Runtime runtime;
    Event event;
    std::thread([&] {
      full(runtime, {4}, 1.0f);
      event = runtime.record_event();
    }).join();
    runtime.wait(event);
    failed = fails_at(n, [&] { report = runtime.shutdown(); });
    ASSERT_TRUE(report.complete || report.abandoned != 0) << n << ": " << report.text();
  }
  EXPECT_GT(n, 1u);
  EXPECT_LT(n, kMost);
}

TEST_P(HostMemory, C30_ADeviceThatCannotStartItsWorkersLeavesNone) {
  constexpr std::size_t kMostOpening = 10'000;  // reading the limits of all enclosing groups takes hundreds
  std::size_t n = 1;
  const auto open = [] {
    std::unique_ptr<Device> device;
    open_cpu({.workers = 3, .kernels = CpuKernels::kPortable}, &device).raise();
  };
  while (n < kMostOpening && fails_at(n, open)) ++n;
  EXPECT_GT(n, 3u) << "each worker takes its own memory";
  EXPECT_LT(n, kMostOpening);
}

// Returning a segment cannot fail: the second of three has no free neighbor to merge with.
TEST_P(HostMemory, C49_ASegmentGoesBackWithoutHostMemory) {
  std::unique_ptr<Device> device;
  ASSERT_TRUE(open_cpu({.workers = 1, .kernels = CpuKernels::kPortable}, &device).ok());
  constexpr std::size_t kBytes = 4096;
  std::vector<void*> segments(3);
  for (void*& segment : segments) ASSERT_TRUE(device->allocate_segment(kBytes, &segment).ok());
  EXPECT_FALSE(fails_at(2, [&] { device->release_segment(segments[1], kBytes); })) << "more than one allocation";
  ASSERT_TRUE(device->allocate_segment(kBytes, &segments[1]).ok());
  EXPECT_NO_THROW(fails_at(1, [&] { device->release_segment(segments[1], kBytes); }));
  device->release_segment(segments[0], kBytes);
  device->release_segment(segments[2], kBytes);
}

// Wherever an allocation runs out of host memory: no device memory is lost or duplicated, and no block is live without
// an owner.
TEST_P(HostMemory, C30_AnAllocationThatFailsLosesNoDeviceMemory) {
  constexpr std::size_t kMiB = std::size_t{1} << 20;
  struct Case {
    std::size_t limit, high, held_by_other;
    bool is_in_use;  // freed by the other stream: a device-side wait is needed
    std::size_t asked;
    int runs;  // runs that the heap already has: they decide how many spans there is room for
  };
  for (const Case& made :
       {Case{64 * kMiB, 0, 0, false, 5000, 0}, Case{64 * kMiB, 0, 0, false, 5000, 1},
        Case{64 * kMiB, 0, 0, false, 3 * kMiB, 0}, Case{64 * kMiB, 0, 0, false, 3 * kMiB, 2},
        Case{4 * kMiB, 0, 3 * kMiB, false, 3 * kMiB, 0}, Case{4 * kMiB, 0, 900'000, false, 3 * kMiB, 1},
        Case{64 * kMiB, kMiB, 3 * kMiB, false, 5 * kMiB, 1}, Case{4 * kMiB, 0, 3 * kMiB, true, 3 * kMiB, 0},
        Case{4 * kMiB, 0, 3 * kMiB, true, 5000, 0}}) {
    std::size_t n = 1;
    for (bool failed = true; failed && n < kMost; ++n) {
      TestMemory test({.limit = made.limit, .high = made.high, .low = made.high});
      const Lease lease = test.sim().lease();
      elsewhere([&] {
        if (made.held_by_other == 0) return;
        const Buffer x = test.make(made.held_by_other);
        if (made.is_in_use) test.use(x);
        test.commit();
      });
      for (int run = 0; run < made.runs; ++run) {
        const Buffer small = test.make(std::size_t{300} << run);
        elsewhere([other = small]() mutable { other = {}; });
      }
      failed = fails_at(n, [&] { test.make(made.asked); });
      test.commit();
      test.run_all();
      ASSERT_TRUE(test.memory().audit()) << made.asked << ' ' << n;
      const MemoryStatistics now = test.statistics();
      ASSERT_EQ(now.live_blocks, 0u) << made.asked << ' ' << n;
      test.memory().release_cached();
      ASSERT_EQ(test.statistics().reserved, 0u) << made.asked << ' ' << n;
      ASSERT_EQ(test.pages().held(), 0u) << made.asked << ' ' << n;
      ASSERT_NO_THROW(test.make(made.asked)) << made.asked << ' ' << n;
    }
    EXPECT_GT(n, 2u) << made.asked;
    EXPECT_LT(n, kMost) << made.asked;
  }
}

// Freeing cannot fail, so it needs no host memory, even if every stream counts as a reader of the block.
TEST_P(HostMemory, C49_ASharedConstantIsFreedWithoutHostMemory) {
  for (const bool elsewhere_freed : {false, true}) {
    TestMemory test;
    std::vector<Lease> readers;
    readers.reserve(20);
    for (int i = 0; i < 20; ++i) {  // more than one piece of a list of uses holds
      readers.push_back(test.sim().lease());
      test.work();
      test.commit();
    }
    const Lease home = test.sim().lease();
    Buffer x = test.make(5000);
    void* const address = x.data();
    std::size_t n = 1;
    while (n < kMost && fails_at(n, [&] { DeviceMemory::make_shared_constant(x.block()); })) {
      ASSERT_FALSE(x.block().is_shared_constant) << "nothing has changed";
      ++n;
    }
    EXPECT_GT(n, 1u);
    const auto drop = [&] { EXPECT_NO_THROW(fails_at(1, [&] { x = {}; })); };
    if (elsewhere_freed) {
      std::thread(drop).join();
    } else {
      drop();
    }
    test.commit();
    EXPECT_NE(test.make(5000).data(), address) << "other streams may be reading it";
    test.run_all();
    test.memory().release_cached();
    EXPECT_EQ(test.statistics().reserved, 0u);
  }
}

// No handler could be registered to call the deleter: the next commit calls it, or the end.
TEST_P(HostMemory, C49_AnExternalBlockThatIsDroppedWithoutHostMemoryIsEndedLater) {
  for (const bool commits : {false, true}) {
    sync::Atomic<int> ended{0};
    float value = 0;
    std::size_t n = 1;
    for (bool failed = true; failed && n < kMost; ++n) {
      ended.store(0);
      {
        TestMemory test;
        const Lease lease = test.sim().lease();
        Buffer x(test.memory().adopt(&value, sizeof(value), [&] { ended.fetch_add(1); }));
        test.use(x);
        test.commit();
        has_failed = false;
        fails_in = n;
        x = {};
        fails_in = 0;
        failed = has_failed;
        EXPECT_EQ(ended.load(), 0) << "a stream uses it";
        test.run_all();
        if (commits) {
          test.memory().on_commit();
          EXPECT_TRUE(eventually([&] { return ended.load() == 1; })) << n;
        } else {
          test.memory().retire(nullptr);
          EXPECT_TRUE(eventually([&] { return test.statistics().live_blocks == 0; })) << n;
        }
      }
      ASSERT_EQ(ended.load(), 1) << n;
    }
    EXPECT_GT(n, 2u);
    EXPECT_LT(n, kMost);
  }
}

}  // namespace
}  // namespace heddle
