// Failures while host memory runs out: reporting them needs none, and a refused object is never half there.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "faults/failing_memory.hpp"
#include "heddle/device/failure_log.hpp"
#include "heddle/heddle.hpp"
#include "heddle/stream/poller.hpp"
#include "stream/sim_core.hpp"

namespace heddle {
namespace {

using test::fails_at;
using test::fails_in;
using test::for_ever;
using test::has_failed;

constexpr std::size_t kMost = 200;

class Failures : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { for_ever = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(OnceAndForEver, Failures, testing::Bool());

TEST_P(Failures, AStatusIsAnErrorOfItsKindWhateverBecomesOfItsText) {
  const std::string said(100, 'x');
  const auto make = [&] { return said; };  // copies it
  for (std::size_t n = 1; n <= 2; ++n) {
    has_failed = false;
    fails_in = n;
    const Status status(ErrorKind::kDeviceLost, make);
    const Status other = status.as(ErrorKind::kDeviceError);
    fails_in = 0;
    ASSERT_TRUE(has_failed);
    EXPECT_EQ(status.kind(), ErrorKind::kDeviceLost);
    EXPECT_EQ(other.kind(), ErrorKind::kDeviceError);
    EXPECT_EQ(status.text(), "host memory ran out while this error was reported");
    EXPECT_THROW(status.raise(), DeviceLost);
  }
}

TEST_P(Failures, ALogOfFailuresTakesAllItsMemoryInAdvance) {
  FailureLog log;
  const Status status(ErrorKind::kDeviceError, "e");
  for (std::uint64_t i = 1; i <= 200; ++i) {
    EXPECT_FALSE(fails_at(1, [&] {
      log.fail(Ticket{10 * i}, status);
      log.clear(Ticket{10 * i + 1});
    }));
    EXPECT_FALSE(log.status_of(Ticket{10 * i}).ok());
  }
}

TEST(FailuresOnce, AKernelWithoutMemoryIsAFailedList) {
  for_ever = false;
  Runtime runtime;
  const Tensor a = cast(full(runtime, {16, 16}, 1.0F), Dtype::kFloat16);
  runtime.synchronize();
  custom(runtime, "switch", {a}, {}, [](const CustomCall&) { fails_in = 1; });
  const Tensor product = matmul(a, a);  // allocates room for its operands in float32
  try {
    runtime.synchronize();
    ADD_FAILURE() << "the product found memory";
  } catch (const DeviceError& error) {
    EXPECT_NE(std::string(error.what()).find("host memory ran out in a kernel"), std::string::npos) << error.what();
  }
  EXPECT_EQ(sum(cast(matmul(a, a), Dtype::kFloat32)).item(), 16.0F * 16 * 16) << "the stream continues";
}

// A failure while a list runs fails the list, and the next stream that waits for it; never the thread that ran it.
TEST_P(Failures, AListThatFailsWithoutMemoryForItsErrorIsAFailedList) {
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    ASSERT_LT(n, kMost);
    SimCore sim;
    const Lease lease = sim.lease();
    const Tensor x = sim.submit();
    // The exception is a number, because throwing a std::exception allocates.
    custom(sim, "operation", {x}, {}, [&](const CustomCall&) {
      has_failed = false;
      fails_in = n;
      throw 7;  // NOLINT
    });
    sim.commit();
    const Event event = sim.record_event();
    Status inherited;
    std::thread([&] {
      sim.wait(event);
      full(sim, {4}, 2.0f);
      const Event behind = sim.record_event();
      std::thread([&] {
        sim.run_all();
        failed = has_failed;
        fails_in = 0;
      }).join();
      inherited = behind.status();
      EXPECT_THROW(sim.synchronize(), DeviceError);
    }).join();
    EXPECT_EQ(event.status().kind(), ErrorKind::kDeviceError) << n;
    EXPECT_EQ(inherited.kind(), ErrorKind::kDeviceError) << n;
    EXPECT_THROW(sim.synchronize(), DeviceError) << n;
    sim.submit();
    sim.run_all();
    EXPECT_TRUE(sim.record_event().status().ok()) << "the failure was reported, and is over";
  }
}

TEST_P(Failures, TheSameOnTheCpu) {
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    ASSERT_LT(n, kMost);
    Runtime runtime;
    std::thread::id ran_on;
    full(runtime, {4}, 1.0f);
    custom(runtime, "operation", {}, {}, [&](const CustomCall&) {
      ran_on = std::this_thread::get_id();
      has_failed = false;
      fails_in = n;
      throw 7;  // NOLINT: no std::exception, as above
    });
    ErrorKind kind = ErrorKind::kOk;
    try {
      runtime.synchronize();  // runs the list
    } catch (const Error& error) {
      kind = error.kind();
    } catch (const std::bad_alloc&) {  // from making the exception: the list has still failed
      kind = ErrorKind::kDeviceError;
    }
    fails_in = 0;
    failed = has_failed;
    ASSERT_EQ(ran_on, std::this_thread::get_id());
    EXPECT_EQ(kind, ErrorKind::kDeviceError) << n;
    try {
      runtime.synchronize();
    } catch (const DeviceError&) {  // if it could not be thrown before
    }
    EXPECT_EQ(full(runtime, {1}, 3.0f).item(), 3.0f) << n;
  }
}

class Inline : public Executor {
 public:
  void execute(std::function<void()> task) override { task(); }
};

// On the handler thread no caller can receive the error, so the handler does.
TEST_P(Failures, AHandlerThatCannotBeHandedToItsExecutorIsTold) {
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    ASSERT_LT(n, kMost);
    SimCore sim;
    const auto executor = std::make_shared<Inline>();
    const Tensor x = sim.submit();
    sync::Atomic<int> told{0};
    sync::Atomic<bool> abandoned{false};
    sim.on_complete([&, n](const Status&) {
      has_failed = false;
      fails_in = n;
    });
    sim.on_complete(
        [&](const Status& status) {
          failed = has_failed;
          fails_in = 0;
          abandoned.store(status.kind() == ErrorKind::kAbandoned);
          told.fetch_add(1);
        },
        {"handed over", executor});
    sim.run_all();
    ASSERT_TRUE(sim.handlers_settle()) << n;
    EXPECT_EQ(told.load(), 1) << n;
    EXPECT_EQ(abandoned.load(), failed) << n;
    EXPECT_EQ(sim.handlers().registered, 2u);
  }
}

class AQueue : public Queue {
 public:
  explicit AQueue(std::uint32_t id) : Queue(StreamId{id}) {}
  using Queue::publish;
};

class Listener final : public CompletionListener {
 public:
  void on_progress(Queue& queue) noexcept override { told.at(queue.stream().value).fetch_add(1); }
  std::array<sync::Atomic<int>, 3> told{};
};

// Its owner could not be made, so nothing will remove it later.
TEST_P(Failures, AQueueThatThePollerHasNoRoomForIsUnknownToIt) {
  bool failed = true;
  for (std::size_t n = 1; failed; ++n) {
    ASSERT_LT(n, kMost);
    sim::SimDevice device({.auto_run = false, .announces = false});
    Listener listener;
    AQueue refused(1), known(2);
    {
      Poller poller(device, listener, [] { return std::chrono::microseconds(20); });
      failed = fails_at(n, [&] { poller.add(refused); });
      poller.add(known);
      refused.watch();
      known.watch();
      refused.publish(Ticket{1});  // a thread that sees the other's ticket sees this one
      known.publish(Ticket{1});
      poller.wake();
      ASSERT_TRUE(eventually([&] { return listener.told[2].load() == 1; }));
      poller.remove(known);
      if (!failed) poller.remove(refused);
    }
    if (failed) {
      EXPECT_EQ(listener.told[1].load(), 0) << n;
    }
  }
}

}  // namespace
}  // namespace heddle
