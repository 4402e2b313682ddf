#include "device_suite/suite.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace heddle::suite {

void append_custom(CommandList& list, std::string name, std::function<void(void*)> run) {
  auto command = std::make_shared<CustomCommand>(CustomCommand{std::move(name), std::move(run)});
  list.append(KernelId::kCustom, CustomArgs{command.get()}, Kept{command, 0});
}

void append_fill(CommandList& list, float* out, float value) {
  list.append(KernelId::kFill, FillArgs{out, 1, std::bit_cast<std::uint32_t>(value)});
}

void append_copy(CommandList& list, float* out, const float* in) {
  list.append(KernelId::kCopyBytes, CopyBytesArgs{out, in, sizeof(float)});
}

void append_add(CommandList& list, float* out, const float* a, const float* b) {
  list.append(KernelId::kAdd, ElementwiseArgs{out, a, b, 1, {{1, 1, 1, 1}}});
}

CommandList DeviceSuite::fill(std::size_t out, float value) {
  CommandList list;
  append_fill(list, cell(out), value);
  return list;
}

CommandList DeviceSuite::copy(std::size_t out, std::size_t in) {
  CommandList list;
  append_copy(list, cell(out), cell(in));
  return list;
}

CommandList DeviceSuite::add(std::size_t out, std::size_t left, std::size_t right) {
  CommandList list;
  append_add(list, cell(out), cell(left), cell(right));
  return list;
}

CommandList DeviceSuite::bad() {
  CommandList list;
  append_bad(list);
  return list;
}

void DeviceSuite::SetUp() {
  expected_failure_.begin(GetParam().expected_failures);
  open();
}

void DeviceSuite::open() {
  bench_ = std::make_unique<Bench>();
  const Status opened = GetParam().open(&bench_->device);
  if (!opened.ok()) GTEST_SKIP() << opened.text();
  device().set_listener(&bench_->listener);
  const Status preloaded = device().preload();
  ASSERT_TRUE(preloaded.ok()) << preloaded.text();
  const Status allocated = device().allocate_segment(info().segment_granule, &bench_->segment);
  ASSERT_TRUE(allocated.ok()) << allocated.text();
  line();
  line();
}

Line& DeviceSuite::line() {
  const std::lock_guard lock(bench_->mutex);
  const auto stream = static_cast<std::uint32_t>(bench_->lines.size() + 1);
  Line& line = bench_->lines.emplace_back();
  const Status status = device().create_queue(StreamId{stream}, &line.queue);
  EXPECT_TRUE(status.ok()) << status.text();
  return line;
}

void DeviceSuite::TearDown() {
  let_go();
  if (bench_->device != nullptr && !drain()) {
    static auto* const kept = new std::vector<std::unique_ptr<Bench>>();
    kept->push_back(std::move(bench_));
  }
  if (helper_) helper_->join();
  bench_.reset();
  expected_failure_.conclude();
}

// True where everything ended and is gone.
bool DeviceSuite::drain() {
  if (abandoned_) return false;
  for (const Line& line : bench_->lines) {
    if (line.queue == nullptr || reach(line)) continue;
    ADD_FAILURE() << "ticket " << line.submitted << " of stream " << line.queue->stream().value << " is never complete";
    return false;
  }
  if (helper_) helper_->join();
  helper_.reset();
  while (!bench_->lines.empty()) bench_->lines.pop_back();
  if (bench_->segment != nullptr) device().release_segment(bench_->segment, info().segment_granule);
  bench_->device.reset();
  return true;
}

float DeviceSuite::value_of(std::size_t i) {
  float value = 0;
  const Status status = device().read_memory(&value, cell(i), sizeof(value));
  EXPECT_TRUE(status.ok()) << status.text();
  return value;
}

void DeviceSuite::expect_value(std::size_t i, float value) {
  if (!GetParam().computes_results) return;
  EXPECT_EQ(value_of(i), value) << "cell " << i;
}

Status DeviceSuite::submit_any(Line& line, CommandList&& list, SubmitHint hint) {
  const std::uint64_t closes = line.submitted + std::max<std::uint64_t>(list.commands(), 1);
  const Status status = device().submit(*line.queue, std::move(list), Ticket{closes}, hint);
  line.submitted = closes;
  return status;
}

CommandList DeviceSuite::held_list(Line& line) {
  CommandList list;
  if (GetParam().hold) GetParam().hold(device(), *line.queue, list, gate_);
  return list;
}

void DeviceSuite::submit_running(Line& line) {
  if (!info().executes_on_caller) {
    submit(line, held_list(line));
  } else {
    CommandList list;
    append_custom(list, "hold", [gate = gate_](void*) { gate->pass(); });
    submit(line, std::move(list));
    if (!info().has_workers) {
      helper_.emplace("helper", [this, &line, last = line.last()] { device().help(*line.queue, last); });
    }
  }
  ASSERT_TRUE(await([this] { return gate_->entered(); })) << "the list does not begin";
}

bool DeviceSuite::await(const std::function<bool()>& holds) const {
  // An expected failure may be a hang.
  const auto most = expected_failure_.expected() ? std::chrono::seconds(1) : std::chrono::seconds(60);
  const sync::Deadline deadline = sync::Deadline::after(most);
  while (!holds()) {
    if (deadline.passed()) return false;
    sync::yield();
  }
  return true;
}

bool DeviceSuite::reach(const Line& line, std::uint64_t ticket) {
  return await([&] {
    return line.queue->completed() >= Ticket{ticket} ||
           (device().help(*line.queue, Ticket{ticket}) && line.queue->completed() >= Ticket{ticket});
  });
}

bool DeviceSuite::reach_without_help(const Line& line) {
  return await([&] { return line.queue->completed() >= line.last(); });
}

}  // namespace heddle::suite
