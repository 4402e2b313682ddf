// The fixture of the device suite: a device with two queues, cells of device memory, and lists to hand over.
//
// A test that needs what a device lacks is skipped and says why. Deadlines only guard against hangs: no test that
// passes depends on one.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "device_suite/enrollment.hpp"
#include "heddle/sync/thread.hpp"
#include "suite_support/expected_failure.hpp"

namespace heddle::suite {

class Listener final : public CompletionListener {
 public:
  void on_progress(Queue& queue) noexcept override {
    if (then) then(queue);
    seen = queue.completed().value;
    ++calls;
  }
  std::atomic<int> calls{0};
  std::atomic<std::uint64_t> seen{0};
  std::function<void(Queue&)> then;  // set before a queue is watched
};

// A queue and the last ticket that was submitted to it.
struct Line {
  std::unique_ptr<Queue> queue;
  std::uint64_t submitted = 0;

  Ticket last() const { return Ticket{submitted}; }
  Status status_of(std::uint64_t ticket) const { return queue->failures().status_of(Ticket{ticket}); }
};

// Everything that a device uses; it is kept for the life of the process where the device cannot be destroyed.
struct Bench {
  Listener listener;
  std::unique_ptr<Device> device;
  void* segment = nullptr;
  std::mutex mutex;        // of what follows
  std::deque<Line> lines;  // never moved
};

// A command that every device refuses.
inline void append_bad(CommandList& list) { list.append(static_cast<KernelId>(0x7FFF), FillArgs{}); }
void append_custom(CommandList& list, std::string name, std::function<void(void*)> run);
void append_fill(CommandList& list, float* out, float value);
void append_copy(CommandList& list, float* out, const float* in);
void append_add(CommandList& list, float* out, const float* a, const float* b);

class DeviceSuite : public testing::TestWithParam<Enrollment> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Device& device() { return *bench_->device; }
  const DeviceInfo& info() { return device().info(); }
  Listener& listener() { return bench_->listener; }
  Line& a() { return bench_->lines[0]; }
  Line& b() { return bench_->lines[1]; }
  // One more queue, which lives as long as the test. Any thread.
  Line& line();

  // --- device memory: kCells floats; what they hold at first is not defined ---
  static constexpr std::size_t kCells = 64;
  float* cell(std::size_t i) { return static_cast<float*>(bench_->segment) + i; }
  float value_of(std::size_t i);
  // Holds anyway on a device that computes nothing.
  void expect_value(std::size_t i, float value);
  std::uint64_t executed(KernelId kernel) { return device().executed()[static_cast<std::size_t>(kernel)]; }

  // --- lists, each of one command ---
  CommandList fill(std::size_t out, float value);
  CommandList copy(std::size_t out, std::size_t in);
  CommandList add(std::size_t out, std::size_t left, std::size_t right);
  static CommandList bad();

  // --- handing over: the list closes with the line's next tickets ---
  Status submit_any(Line& line, CommandList&& list, SubmitHint hint = SubmitHint::kAsynchronous);
  void submit(Line& line, CommandList list, SubmitHint hint = SubmitHint::kAsynchronous) {
    const Status status = submit_any(line, std::move(list), hint);
    EXPECT_TRUE(status.ok()) << status.text();
  }
  // A list that is pending until let_go(): what held_list() gives, and more commands. REQUIRES: can_hold(), and no
  // list was submitted asynchronously to the line, which a worker may still have in mind.
  bool can_hold() { return info().executes_on_caller || GetParam().hold; }
  CommandList held_list(Line& line);
  void submit_held(Line& line, CommandList list) { submit(line, std::move(list), SubmitHint::kCallerWaits); }
  void let_go() { std::exchange(gate_, std::make_shared<Gate>())->open(); }
  // Submits a list that has begun and does not end before let_go(). REQUIRES: can_hold(), computes_results.
  void submit_running(Line& line);

  // --- waiting; false where it took so long that it must be a hang ---
  bool await(const std::function<bool()>& holds) const;
  bool reach(const Line& line, std::uint64_t ticket);
  bool reach(const Line& line) { return reach(line, line.submitted); }
  bool reach_without_help(const Line& line);

  void lose(Status status) { GetParam().lose(device(), std::move(status)); }
  // After the test the device and its queues are left as they are: it is parked.
  void abandon() { abandoned_ = true; }

 private:
  void open();
  bool drain();

  std::unique_ptr<Bench> bench_;
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::optional<sync::Thread> helper_;  // of submit_running(), where the device has no thread that runs lists
  bool abandoned_ = false;
  ExpectedFailure expected_failure_;
};

}  // namespace heddle::suite

// In the body of a test.
#define SUITE_NEEDS_RESULTS() SUITE_NEEDS(GetParam().computes_results, "the device computes nothing")
#define SUITE_NEEDS_HOLD() SUITE_NEEDS(can_hold(), "no list is ever pending on the device")
