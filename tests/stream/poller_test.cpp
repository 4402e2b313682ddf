// The poller: on a device that writes its tickets silently, waits and handlers work all the same.
#include "heddle/stream/poller.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

const SimOptions kSilent{.auto_run = false, .announces = false};

class AQueue : public Queue {
 public:
  explicit AQueue(std::uint32_t id) : Queue(StreamId{id}) {}
  using Queue::publish;
};

class Listener final : public CompletionListener {
 public:
  void on_progress(Queue& queue) noexcept override {
    told.fetch_add(1);
    last.store(queue.stream().value);
  }
  sync::Atomic<int> told{0};
  sync::Atomic<std::uint32_t> last{0};
};

TEST(Poller, TellsOfWatchedQueuesThatMovedAndOfNoOthers) {
  sim::SimDevice device(kSilent);
  Listener listener;
  AQueue watched(1), other(2);
  Poller poller(device, listener, [] { return std::chrono::microseconds(20); });
  poller.add(watched);
  poller.add(other);
  other.publish(Ticket{1});
  watched.watch();
  poller.wake();
  watched.publish(Ticket{1});
  EXPECT_TRUE(eventually([&] { return listener.told.load() == 1; }));
  EXPECT_EQ(listener.last.load(), 1u);
  watched.publish(Ticket{2});
  EXPECT_TRUE(eventually([&] { return listener.told.load() == 2; }));
  watched.unwatch();
  poller.remove(watched);
  poller.remove(other);
}

TEST(Poller, FindsAWatcherThatComesWhileItSleeps) {
  sim::SimDevice device(kSilent);
  Listener listener;
  AQueue queue(1);
  Poller poller(device, listener, [] { return std::chrono::microseconds(20); });
  poller.add(queue);
  for (std::uint64_t round = 1; round <= 200; ++round) {
    queue.watch();
    poller.wake();
    queue.publish(Ticket{round});
    ASSERT_TRUE(eventually([&] { return listener.told.load() == static_cast<int>(round); })) << "round " << round;
    queue.unwatch();
  }
  poller.remove(queue);
}

// A device whose faults must be found although nobody waits.
class Busy final : public sim::SimDevice {
 public:
  Busy() : SimDevice(kSilent) {}
  bool busy() const override { return is_busy.load(); }
  void poll() override { polls.fetch_add(1); }
  sync::Atomic<bool> is_busy{false};
  sync::Atomic<int> polls{0};
};

TEST(Poller, AsksForFaultsWhileTheDeviceIsBusyAndNobodyWaits) {
  Busy device;
  Listener listener;
  AQueue queue(1);
  Poller poller(device, listener, [] { return std::chrono::microseconds(20); });
  poller.add(queue);
  std::this_thread::sleep_for(3 * Poller::kFaultInterval);
  EXPECT_EQ(device.polls.load(), 0) << "an idle device is left alone";
  for (int round = 0; round < 3; ++round) {
    const int before = device.polls.load();
    device.is_busy = true;
    poller.note_work();
    EXPECT_TRUE(eventually([&] { return device.polls.load() >= before + 3; })) << round;
    device.is_busy = false;
    EXPECT_TRUE(eventually([&] {
      const int settled = device.polls.load();
      std::this_thread::sleep_for(3 * Poller::kFaultInterval);
      return device.polls.load() == settled;
    })) << "a device that has become idle is left alone again";
  }
  poller.remove(queue);
}

TEST(Poller, C46_ARemovedQueueIsNotTouchedAnyMore) {
  sim::SimDevice device(kSilent);
  Listener listener;
  Poller poller(device, listener, [] { return std::chrono::microseconds(20); });
  for (int round = 0; round < 200; ++round) {
    AQueue queue(7);
    poller.add(queue);
    queue.watch();
    poller.wake();
    queue.publish(Ticket{1});
    poller.remove(queue);
    queue.unwatch();
    const int told = listener.told.load();
    std::this_thread::yield();
    ASSERT_EQ(listener.told.load(), told) << "told of a queue that had been removed";
  }
}

TEST(Poller, DrivesWaitsAndHandlersOfASilentDevice) {
  SimCore sim({}, kSilent);
  Log log;
  std::latch waits(1);
  std::thread waiter([&] {
    const Tensor x = sim.submit(2.0f);
    const Event event = sim.record_event();
    sim.on_complete(log.handler("silent"));
    waits.count_down();
    event.wait();
    EXPECT_TRUE(event.query());
  });
  waits.wait();
  EXPECT_TRUE(log.entries().empty());
  sim.run_all();
  waiter.join();
  EXPECT_EQ(log.wait_for(1), std::vector<std::string>{"silent ok"});
}

TEST(Poller, EveryWaitPolicyWorksOnASilentDevice) {
  for (const WaitPolicy policy : {WaitPolicy::kSpin, WaitPolicy::kAdaptive, WaitPolicy::kBlock}) {
    CoreOptions options;
    options.wait = policy;
    SimCore sim(options, kSilent);
    const DeviceRunner runner(sim.device());
    for (int i = 0; i < 20; ++i) {
      const Tensor x = full(sim, {4}, 1.0f);
      EXPECT_EQ(add(x, x).to_host(), std::vector<float>(4, 2.0f));
    }
  }
}

TEST(Poller, C43_ADeviceThatIsLostSilentlyEndsAllWaits) {
  SimCore sim({}, kSilent);
  std::latch waiting(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const Tensor x = full(sim, {4}, 1.0f);
      waiting.count_down();
      EXPECT_THROW(x.to_host(), DeviceLost);
    });
  }
  waiting.wait();
  sim.device().lose({ErrorKind::kDeviceLost, "gone"});
  for (auto& thread : threads) thread.join();
}

TEST(Poller, C43_AShutdownThatRunsOutOfTimeEndsWaitsOnASilentDevice) {
  SimCore sim({}, kSilent);
  std::latch waits(1);
  std::thread waiter([&] {
    const Tensor x = sim.submit();
    const Event event = sim.record_event();
    waits.count_down();
    EXPECT_THROW(event.wait(), Closed);
  });
  waits.wait();
  EXPECT_FALSE(sim.shutdown(milliseconds(10)).complete);
  waiter.join();
}

}  // namespace
}  // namespace heddle
