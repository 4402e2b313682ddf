#include "heddle/stream/handler_thread.hpp"

#include <memory>
#include <stdexcept>

#include "check/scenarios.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

class Tells final : public CompletionListener {
 public:
  HandlerThread* handlers = nullptr;
  CompletionLine* line = nullptr;
  void on_progress(Queue&) noexcept override { handlers->on_progress(*line); }
};

// A handler registers another, and then throws, while the device completes its ticket.
void a_handler_that_registers_and_throws() {
  Tells tells;
  sim::SimDevice device({.auto_run = false});
  device.set_listener(&tells);
  std::unique_ptr<Queue> queue;
  device.create_queue(StreamId{1}, &queue).raise();
  CompletionLine line(*queue);
  int failures = 0, first = 0, second = 0;  // plain: changed between visible operations
  HandlerThread handlers(Limits{}, false, [&](const HandlerFailure&) { ++failures; });
  tells.handlers = &handlers;
  tells.line = &line;
  float cell = 0;
  CommandList list;
  list.append(KernelId::kFill, FillArgs{&cell, 1, 0});
  device.submit(*queue, std::move(list), Ticket{1}, SubmitHint::kAsynchronous).raise();
  const auto registers_and_throws = [&](const Status&) {
    ++first;
    handlers.add(line, {Ticket{1}, [&](const Status&) { ++second; }, {}, {}});
    throw std::runtime_error("thrown by a handler");
  };
  heddle_check::run_together({{"recorder", [&] { handlers.add(line, {Ticket{1}, registers_and_throws, {}, {}}); }},
                              {"device", [&] { heddle_check::require(device.step(), "a list is due"); }}});
  heddle_check::require(handlers.stop({&line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(first == 1 && failures == 1, "what a handler throws is told once");
  heddle_check::require(second == 1, "a handler that a handler registers runs exactly once");
}

}  // namespace

void add_handler_thread(Scenarios& to) {
  to.push_back({.name = "handler_thread",
                .group = "handlers",
                .threads = 3,
                .body = a_handler_that_registers_and_throws,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler that registers another and throws loses neither of the two, nor the thread"});
}

}  // namespace heddle::check
