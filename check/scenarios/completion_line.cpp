#include "heddle/stream/handler_queue.hpp"

#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Like HandlerThread, on the thread that finds the line ripe.
void run_ripe(HandlerQueue& line) {
  if (!line.ripe(line.device_queue().completed_after_watch()) || !line.claim_schedule()) return;
  line.end_schedule();
  auto previous = HandlerQueue::Outcome::kNone;
  HandlerQueue::Entry entry;
  while (line.take(line.device_queue().completed_after_watch(), &entry, previous)) {
    entry.handler({});
    previous = HandlerQueue::Outcome::kRun;
  }
}

class RunsRipe final : public CompletionListener {
 public:
  HandlerQueue* line = nullptr;
  void on_progress(Queue&) noexcept override { run_ripe(*line); }
};

// A line of a stream of the simulated device with `tickets` committed lists; the device runs ripe handlers.
struct RipeLine {
  explicit RipeLine(std::uint64_t tickets) {
    device.set_listener(&listener);
    listener.line = &line;
    for (std::uint64_t ticket = 1; ticket <= tickets; ++ticket) submit_fill(device, *queue, ticket, &cell);
  }

  RunsRipe listener;
  sim::SimDevice device{{.auto_run = false}};
  std::unique_ptr<Queue> queue = make_queue(device);
  HandlerQueue line{*queue};
  float cell = 0;
};

// A thread registers a handler for each of two tickets while the device completes them.
void handlers_of_two_tickets() {
  RipeLine of(2);
  HandlerQueue& line = of.line;
  sync::Atomic<int> told[2]{{0}, {0}};
  heddle_check::run_together({{"recorder",
                               [&] {
                                 for (std::uint64_t ticket = 1; ticket <= 2; ++ticket) {
                                   sync::Atomic<int>& count = told[ticket - 1];
                                   line.add({Ticket{ticket}, [&count](const Status&) { count.fetch_add(1); }, {}, {}});
                                   run_ripe(line);
                                 }
                               }},
                              {"device", [&] {
                                 while (of.device.step()) {
                                 }
                               }}});
  for (const auto& count : told) heddle_check::require(count.load() == 1, "each handler ran exactly once");
  heddle_check::require(line.counts().pending() == 0, "nothing is pending");
  heddle_check::require(!of.queue->watched(), "the device no longer has to announce progress");
}

// Two threads wait for room for a handler on a stream that has room for one, and register one each, while the device
// completes the stream.
void handlers_with_room_for_one() {
  RipeLine of(1);
  HandlerQueue& line = of.line;
  const sync::Atomic<bool> stop{false};
  heddle_check::Noted<int> told = 0;
  const auto registers = [&] {
    heddle_check::require(line.wait_for_room(1, stop, kForEver), "the thread gets room");
    line.add({Ticket{1}, [&](const Status&) { ++told; }, {}, {}});
    run_ripe(line);
  };
  heddle_check::run_together({{"first", registers},
                              {"second", registers},
                              {"device", [&] { heddle_check::require(of.device.step(), "a list is due"); }}});
  heddle_check::require(told == 2, "each handler ran once");
  heddle_check::require(line.counts().pending() == 0 && line.idle(), "the count came back to zero");
}

}  // namespace

void add_completion_line(Scenarios& to) {
  to.push_back({.name = "completion_line",
                .group = "handlers",
                .threads = 2,
                .body = handlers_of_two_tickets,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 20'000}},
                .claim = "every registered handler runs exactly once, whenever its ticket passes"});
  to.push_back(
      {.name = "handler_count_3x2",
       .group = "handlers",
       .threads = 3,
       .body = handlers_with_room_for_one,
       .limits = all_choices(),
       .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 10'000}},
       .claim = "a thread that waits for room for a handler gets it, and no handler is counted twice or lost"});
}

}  // namespace heddle::check
