#include "heddle/stream/recording.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <latch>
#include <thread>
#include <utility>

#include "heddle/heddle.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle {
namespace {

TEST(Lease, MovesWithItsStream) {
  Runtime runtime;
  Lease first = runtime.lease();
  const StreamId id = first.id();
  const Lease second = std::move(first);
  EXPECT_EQ(second.id(), id);
  EXPECT_EQ(runtime.stream().id(), id);
}

TEST(Recording, FollowsTheNewestLeaseOfItsThread) {
  Runtime runtime;
  std::thread([&] {
    const Lease lease = runtime.lease();
    Recording recording(runtime.core().pool());
    EXPECT_EQ(recording.lane().id(), lease.id());
    EXPECT_TRUE(recording.lane().idle());
  }).join();
}

TEST(Lease, CommitsWhatItsThreadRecordedBefore) {
  Options options;
  options.streams = 1;
  options.streams_max = 1;
  options.limits.lease_wait_max = std::chrono::milliseconds(2000);
  Runtime runtime(options);
  std::thread([&] {
    const Tensor x = full(runtime, {4}, 1.0f);  // on the thread's implicit stream, the only one
    const Lease lease = runtime.lease();        // does not wait for itself
    EXPECT_EQ(sum(relu(x)).item(), 4.0f);
  }).join();
}

// A shutdown looks now and then for threads that are outside; one that is always inside must not keep it waiting.
TEST(Recording, C45_AThreadThatIsBusyWhenTheRuntimeClosesRecordsNothingMore) {
  Runtime runtime;
  std::latch inside(1);
  std::atomic<bool> leave{false};
  bool was_closed = false;
  std::thread busy([&] {
    {
      const Recording recording(runtime.core().pool());
      inside.count_down();
      while (!leave) std::this_thread::yield();
    }
    try {
      const Recording again(runtime.core().pool());
    } catch (const Closed&) {
      was_closed = true;
    }
  });
  inside.wait();
  std::thread closer([&] { EXPECT_TRUE(runtime.shutdown().complete); });
  const auto closed = [&] {
    try {
      runtime.lease();
    } catch (const Closed&) {
      return true;
    }
    return false;
  };
  while (!closed()) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the shutdown has looked by now, and sleeps most times
  leave = true;
  busy.join();
  closer.join();
  EXPECT_TRUE(was_closed);
}

TEST(Lease, FailPolicyWaitsForAStreamThatIsOnItsWayBack) {
  Options options;
  options.streams = 1;
  options.streams_max = 1;
  options.exhaustion = ExhaustionPolicy::kFail;
  Runtime runtime(options);
  std::thread([&] {
    for (int i = 0; i < 20; ++i) {
      const Lease lease = runtime.lease();
      const Tensor x = full(runtime, {128, 128}, 1.0f);
      const Tensor y = matmul(x, x);
    }
  }).join();
}

TEST(Lease, KnowsItsStreamAfterTheRuntimeClosed) {
  Runtime runtime;
  const Lease lease = runtime.lease();
  const StreamId id = runtime.stream().id();
  EXPECT_TRUE(runtime.shutdown().complete);
  EXPECT_EQ(lease.id(), id);
}

struct RecordsAtThreadEnd {
  Runtime* runtime = nullptr;
  float* sum = nullptr;
  ~RecordsAtThreadEnd() {
    if (runtime != nullptr) *sum = full(*runtime, {1}, 2.0f).item();
  }
};

// The leases of a thread outlive its thread_local objects, whichever were made first.
TEST(Recording, InAThreadLocalDestructorIsRecordingAsEver) {
  Runtime runtime;
  float before = 0, after = 0;
  std::thread([&] {
    static thread_local RecordsAtThreadEnd early;
    early.runtime = &runtime;
    early.sum = &before;
    EXPECT_EQ(full(runtime, {1}, 1.0f).item(), 1.0f);
    static thread_local RecordsAtThreadEnd late;
    late.runtime = &runtime;
    late.sum = &after;
  }).join();
  EXPECT_EQ(before, 2.0f);
  EXPECT_EQ(after, 2.0f);
}

struct LateRecorder {
  Runtime* runtime;
  std::string text;
};

TEST(Recording, AfterTheThreadGaveItsLeasesBackIsRefused) {
  Runtime runtime;
  LateRecorder recorder{&runtime, {}};
  EXPECT_EQ(full(runtime, {1}, 1.0f).item(), 1.0f);  // the library's key is made first: its destructor runs first
  pthread_key_t key{};
  ASSERT_EQ(pthread_key_create(&key,
                               [](void* of) {
                                 auto& late = *static_cast<LateRecorder*>(of);
                                 try {
                                   full(*late.runtime, {1}, 1.0f);
                                 } catch (const Closed& error) {
                                   late.text = error.what();
                                 }
                               }),
            0);
  std::thread([&] {
    ASSERT_EQ(pthread_setspecific(key, &recorder), 0);
    EXPECT_EQ(full(runtime, {1}, 1.0f).item(), 1.0f);
  }).join();
  EXPECT_NE(recorder.text.find("given its streams back"), std::string::npos) << recorder.text;
  EXPECT_EQ(pthread_key_delete(key), 0);
}

TEST(Recording, AFailedOperationLeavesNoUseOfItsOperandsBehind) {
  Runtime runtime;
  std::latch recorded(1);
  std::latch tried(1);
  Tensor committed;
  Tensor uncommitted;
  std::thread producer([&] {
    committed = full(runtime, {4}, 1.0f);
    runtime.synchronize();
    uncommitted = full(runtime, {4}, 2.0f);
    recorded.count_down();
    tried.wait();
  });
  recorded.wait();
  EXPECT_THROW(add(committed, uncommitted), NotCommitted);
  tried.count_down();
  producer.join();
  committed = Tensor();
  EXPECT_EQ(runtime.memory_statistics().pending, 0u);
}

// It runs on whatever thread waits for it: on one that has a stream of its own and waits for an event of another's,
// too.
TEST(Recording, C25_ACustomOperationRecordsNothingOnAThreadThatWaitsForAnEvent) {
  Options options;
  options.device = "sim";  // only threads that wait run anything
  Runtime runtime(options);
  bool was_refused = false;
  Event event;
  std::thread([&] {
    custom(runtime, "records", {}, {}, [&](const CustomCall&) {
      try {
        full(runtime, {4}, 1.0f);
      } catch (const InvalidArgument&) {
        was_refused = true;
      }
    });
    event = runtime.record_event();
  }).join();
  std::thread([&] {
    full(runtime, {4}, 1.0f);  // takes a stream
    runtime.synchronize();
    event.wait();
    EXPECT_TRUE(was_refused);
    EXPECT_TRUE(runtime.query());
  }).join();
}

}  // namespace
}  // namespace heddle
