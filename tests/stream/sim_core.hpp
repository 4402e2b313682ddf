// A runtime over a simulated device whose steps the test decides, and what such tests need beside it.
//
//   SimCore sim;                               // nothing runs until sim.device().step(), or while a DeviceRunner lives
//   const Tensor x = full(sim, {4}, 1.0f);
//   sim.on_complete(log.handler("a"));
//   sim.device().step();
//   EXPECT_EQ(log.wait_for(1), (std::vector<std::string>{"a ok"}));
//
// Thread safety: all members, from any thread; the destructors when no other thread uses the object.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "heddle/backends/sim/device.hpp"
#include "heddle/heddle.hpp"
#include "heddle/runtime/lifecycle.hpp"
#include "heddle/stream/event_access.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/stream/stream_access.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle {

using std::chrono::milliseconds;

// True as soon as `holds` does; false after 20 s, which no test of a working library takes.
template <class Condition>
bool eventually(Condition holds) {
  const sync::Deadline end = sync::Deadline::after(std::chrono::seconds(20));
  while (!holds()) {
    if (end.passed()) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return true;
}

// The text of the ErrorType that `call` throws; says so when it throws none.
template <class ErrorType, class Call>
std::string text_of(Call call) {
  try {
    call();
  } catch (const ErrorType& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another error: ") + error.what();
  }
  return "nothing was thrown";
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// What handlers were told, in the order in which they ran.
class Log {
 public:
  void add(std::string entry) {
    sync::MutexLock lock(mutex_);
    entries_.push_back(std::move(entry));
  }
  // Adds "NAME KIND".
  CompletionHandler handler(std::string name) {
    return
        [this, name = std::move(name)](const Status& status) { add(name + " " + std::string(name_of(status.kind()))); };
  }
  std::vector<std::string> entries() const {
    sync::MutexLock lock(mutex_);
    return entries_;
  }
  // The entries, once there are `count` (or too long has passed).
  std::vector<std::string> wait_for(std::size_t count) const {
    eventually([&] { return entries().size() >= count; });
    return entries();
  }

 private:
  mutable sync::Mutex mutex_{Rank::kLeaf};
  std::vector<std::string> entries_;
};

// Steps the device on a thread of its own while it lives.
class DeviceRunner {
 public:
  explicit DeviceRunner(sim::SimDevice& device)
      : thread_([this, &device] {
          while (!stop_.load()) {
            if (!device.step()) std::this_thread::sleep_for(std::chrono::microseconds(50));
          }
        }) {}
  ~DeviceRunner() {
    stop_.store(true);
    thread_.join();
  }
  DeviceRunner(const DeviceRunner&) = delete;
  DeviceRunner& operator=(const DeviceRunner&) = delete;

 private:
  sync::Atomic<bool> stop_{false};
  std::thread thread_;
};

// `streams` worker streams, and no more.
inline CoreOptions exactly(std::uint32_t streams, ExhaustionPolicy policy = ExhaustionPolicy::kGrowThenWait) {
  CoreOptions options;
  options.limits.streams = streams;
  options.limits.streams_max = streams;
  options.exhaustion = policy;
  return options;
}

class SimCore {
 public:
  explicit SimCore(CoreOptions options = {}, SimOptions sim = {.auto_run = false}) {
    auto device = std::make_unique<sim::SimDevice>(sim);
    device_ = device.get();
    if (options.memory.limit == 0) options.memory.limit = device->info().memory_bytes;
    lifecycle_ = Lifecycle::open(std::shared_ptr<Core>(new Core(std::move(device), options), sync::ForkSafeDelete{}));
    if (sync::is_main_thread()) stream();  // so that its leases have other streams than 0
  }
  ~SimCore() {
    {
      const DeviceRunner runner(*device_);
      shutdown();
    }
    lifecycle_->release();
  }
  SimCore(const SimCore&) = delete;
  SimCore& operator=(const SimCore&) = delete;

  operator Core&() { return core(); }  // NOLINT: as Runtime
  Core& core() { return lifecycle_->core(); }
  sim::SimDevice& device() { return *device_; }
  const std::shared_ptr<LanePool>& pool() { return core().pool(); }

  void commit() { Recording(pool()).lane().commit(); }
  bool try_commit() { return Recording(pool()).lane().try_commit(); }
  void synchronize() { Recording(pool()).lane().synchronize(); }
  bool query() { return Recording(pool()).lane().idle(); }
  StreamId stream() { return Recording(pool()).lane().id(); }
  Event record_event() {
    Recording recording(pool());
    return heddle::record_event(pool(), recording.lane());
  }
  void wait(const Event& event) { StreamAccess::of_this_thread(pool()).wait(event); }
  void on_complete(CompletionHandler handler, HandlerOptions options = {}) {
    StreamAccess::of_this_thread(pool()).on_complete(std::move(handler), std::move(options));
  }
  bool try_on_complete(CompletionHandler handler, HandlerOptions options = {}) {
    Recording recording(pool());
    return recording.lane().try_on_complete(std::move(handler), std::move(options), pool());
  }
  Lease lease() { return Lease(pool()); }
  std::optional<Lease> try_lease() { return Lease::try_take(pool()); }
  HandlerStatistics handlers() { return pool()->handler_statistics(); }
  ShutdownReport shutdown(milliseconds deadline = milliseconds(30'000)) {
    return lifecycle_->shutdown(sync::Deadline::after(deadline));
  }
  // Runs everything that can run.
  void run_all() {
    while (device_->step()) {
    }
  }
  // Records one command and commits it.
  Tensor submit(float value = 1.0f) {
    Tensor x = full(*this, {4}, value);
    commit();
    return x;
  }
  // Waits until no handler is pending; false when that never came.
  bool handlers_settle() {
    return eventually([&] { return handlers().pending == 0; });
  }

 private:
  sim::SimDevice* device_ = nullptr;
  std::shared_ptr<Lifecycle> lifecycle_;
};

// registered = run + abandoned + pending.
inline bool balanced(const HandlerStatistics& now) { return now.registered == now.run + now.abandoned + now.pending; }

}  // namespace heddle
