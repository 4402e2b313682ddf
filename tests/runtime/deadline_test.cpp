// Waits with a deadline on the CPU device, where a waiting thread could run the work itself: they must end all the
// same.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "heddle/heddle.hpp"
#include "stream/sim_core.hpp"

namespace heddle {
namespace {

// Opened by open(), or after a time that no test of a working library takes; then given_up() says so.
class Gate {
 public:
  void open() { open_.store(true); }
  void pass() {
    const sync::Deadline end = sync::Deadline::after(std::chrono::seconds(20));
    while (!open_.load()) {
      if (end.passed()) given_up_.store(true);
      if (given_up_.load()) return;
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  bool given_up() const { return given_up_.load(); }

 private:
  sync::Atomic<bool> open_{false};
  sync::Atomic<bool> given_up_{false};
};

// One worker; as many streams as objects of this class have work that ends when the gate opens.
class GatedStream {
 public:
  GatedStream(Runtime& runtime, const std::shared_ptr<Gate>& gate) : lease_(runtime.lease()) {
    custom(runtime, "gated", {}, {}, [gate](const CustomCall&) { gate->pass(); });
    event_ = lease_->record_event();
    lease_->detach();
  }
  const Event& event() const { return event_; }

 private:
  std::optional<Lease> lease_;
  Event event_;
};

// The work is a function that the device calls: a GPU has none of these.
Options on_cpu() {
  Options options;
  options.device = "cpu";
  return options;
}

Options one_worker() {
  Options options = on_cpu();
  options.cpu_workers = 1;
  return options;
}

TEST(Deadlines, C43_AnEventsWaitEndsThoughNobodyElseRunsItsList) {
  const auto gate = std::make_shared<Gate>();
  Runtime runtime(one_worker());
  const GatedStream first(runtime, gate);
  const GatedStream second(runtime, gate);  // the worker is busy with the first
  EXPECT_FALSE(first.event().wait_for(milliseconds(5)));
  EXPECT_FALSE(second.event().wait_for(milliseconds(5)));
  EXPECT_FALSE(gate->given_up()) << "the waiting thread ran a list that outlasted its deadline";
  gate->open();
  EXPECT_TRUE(second.event().wait_for(std::chrono::seconds(20)));
}

TEST(Deadlines, C43_AShutdownEndsThoughListsDoNot) {
  const auto gate = std::make_shared<Gate>();
  Runtime runtime(one_worker());
  const GatedStream first(runtime, gate);
  const GatedStream second(runtime, gate);
  const ShutdownReport report = runtime.shutdown(milliseconds(5));
  EXPECT_FALSE(gate->given_up()) << "the thread that shut down ran a list that outlasted its deadline";
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(report.abandoned, 2u);
  gate->open();
  while (!first.event().query() || !second.event().query()) std::this_thread::yield();
}

TEST(Deadlines, C43_WhoWaitsForAnothersShutdownHasADeadlineOfItsOwn) {
  const auto gate = std::make_shared<Gate>();
  Runtime runtime(one_worker());
  const GatedStream stream(runtime, gate);
  ShutdownReport first;
  std::thread closer([&] { first = runtime.shutdown(std::chrono::seconds(20)); });
  const auto closes = [&] {
    try {
      full(runtime, {1}, 1.0f);
      return false;
    } catch (const Closed&) {
      return true;
    }
  };
  while (!closes()) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_THROW(runtime.shutdown(milliseconds(5)), Timeout);
  EXPECT_FALSE(gate->given_up()) << "it waited as long as the other";
  gate->open();
  closer.join();
  EXPECT_TRUE(first.complete);
  EXPECT_EQ(runtime.shutdown(milliseconds(0)).text(), first.text());
}

// R08: a list that was handed over for the thread that waits must not be left lying where that thread may not wait.
TEST(Deadlines, R08_ARefusedSynchronizeLeavesNoListThatNobodyRuns) {
  const auto gate = std::make_shared<Gate>();
  sync::Atomic<int> told{0};
  Runtime runtime(on_cpu());
  runtime.on_complete([&](const Status&) {
    custom(runtime, "gated", {}, {}, [gate](const CustomCall&) { gate->pass(); });
    EXPECT_THROW(runtime.synchronize(), WouldBlock);
    gate->open();
    runtime.on_complete([&](const Status& status) { told.store(status.ok() ? 1 : 2); });
  });
  const sync::Deadline end = sync::Deadline::after(std::chrono::seconds(20));
  while (told.load() == 0 && !end.passed()) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(told.load(), 1);
}

// R08: what an allocation commits before it gives up is run by somebody, though its thread does nothing more.
TEST(Deadlines, R08_AnAllocationThatFailsLeavesNoListThatNobodyRuns) {
  Options options = on_cpu();
  options.memory_limit = std::size_t{1} << 20;
  Runtime runtime(options);
  const Tensor kept = full(runtime, {3 * 65536}, 1.0F);
  EXPECT_THROW(full(runtime, {2 * 65536}, 1.0F), OutOfMemory);
  EXPECT_TRUE(runtime.shutdown(std::chrono::seconds(20)).complete);
}

// Each of them is quick enough not to count as stuck; all of them together would take longer than anybody waits.
TEST(Deadlines, C30_ManySlowAbandonedHandlersAreLeftToTheHandlerThreadAndStillTold) {
  constexpr std::uint64_t kHandlers = 30;
  SimCore sim;
  for (std::uint64_t i = 0; i < kHandlers; ++i) {
    sim.submit();
    sim.on_complete([](const Status& status) {
      EXPECT_EQ(status.kind(), ErrorKind::kAbandoned);
      std::this_thread::sleep_for(milliseconds(60));
    });
  }
  const ShutdownReport report = sim.shutdown(milliseconds(10));
  EXPECT_FALSE(report.complete);
  EXPECT_GT(report.handlers_pending, 0u) << "the shutdown waited for all of them: " << report.text();
  EXPECT_GT(report.handlers_abandoned, 0u);
  EXPECT_EQ(report.handlers_abandoned + report.handlers_pending, kHandlers);
  EXPECT_TRUE(sim.handlers_settle()) << "nobody tells the rest";
  EXPECT_EQ(sim.handlers().abandoned, kHandlers);
}

TEST(Deadlines, C43_TheLongestShutdownWaitsForTheWork) {
  Runtime runtime(on_cpu());
  const auto gate = std::make_shared<Gate>();
  const GatedStream work(runtime, gate);
  std::thread opener([&] {
    std::this_thread::sleep_for(milliseconds(20));
    gate->open();
  });
  const ShutdownReport report = runtime.shutdown(milliseconds::max());
  opener.join();
  EXPECT_TRUE(report.complete) << report.text();
  EXPECT_EQ(report.abandoned, 0u);
}

}  // namespace
}  // namespace heddle
