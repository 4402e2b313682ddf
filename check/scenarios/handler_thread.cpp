#include "heddle/stream/handler_thread.hpp"

#include <memory>
#include <stdexcept>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
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

// A line of a stream of the simulated device, whose list of ticket 1 is committed, and its handler thread.
struct OneLine {
  explicit OneLine(bool spins = false) : handlers(Limits{}, spins, [this](const HandlerFailure&) { ++failures; }) {
    device.set_listener(&tells);
    tells.handlers = &handlers;
    tells.line = &line;
    submit_fill(device, *queue, 1, &cell);
  }
  bool add(CompletionHandler handler) { return handlers.add(line, {Ticket{1}, std::move(handler), {}, {}}); }

  Tells tells;
  sim::SimDevice device{{.auto_run = false}};
  std::unique_ptr<Queue> queue = make_queue(device);
  CompletionLine line{*queue};
  int failures = 0;  // plain: changed between visible operations
  HandlerThread handlers;
  float cell = 0;
};

// A handler registers another, and then throws, while the device completes its ticket.
void a_handler_that_registers_and_throws() {
  OneLine one;
  int first = 0, second = 0;  // plain: changed between visible operations
  const auto registers_and_throws = [&](const Status&) {
    ++first;
    one.add([&](const Status&) { ++second; });
    throw std::runtime_error("thrown by a handler");
  };
  heddle_check::run_together({{"recorder", [&] { one.add(registers_and_throws); }},
                              {"device", [&] { heddle_check::require(one.device.step(), "a list is due"); }}});
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(first == 1 && one.failures == 1, "what a handler throws is told once");
  heddle_check::require(second == 1, "a handler that a handler registers runs exactly once");
}

// The handler thread stops while a handler, which a completed ticket made ripe, registers another.
void a_handler_that_registers_at_stop() {
  OneLine one;
  heddle_check::require(one.device.step(), "a list is due");
  int first = 0, second = 0;  // plain: changed between visible operations
  bool first_taken = false, second_taken = false;
  const auto registers = [&](const Status&) {
    ++first;
    second_taken = one.add([&](const Status&) { ++second; });
  };
  bool stopped = false;
  heddle_check::run_together({{"recorder", [&] { first_taken = one.add(registers); }},
                              {"stopper", [&] { stopped = one.handlers.stop({&one.line}, sync::Deadline::never()); }}});
  heddle_check::require(stopped, "the handler thread ended");
  heddle_check::require(first == int{first_taken} && second == int{second_taken},
                        "a handler that was taken runs once, and one that was refused does not");
}

// The registration wakes a handler thread that spins, and the device completes its ticket before or after that.
void a_handler_thread_woken_early() {
  OneLine one(true);
  int first = 0, second = 0;  // plain: changed between visible operations
  one.add([&](const Status&) { ++first; });
  heddle_check::run_together({{"recorder", [&] { one.add([&](const Status&) { ++second; }); }},
                              {"device", [&] { heddle_check::require(one.device.step(), "a list is due"); }}});
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(first == 1 && second == 1, "each handler runs exactly once");
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
  to.push_back({.name = "handler_at_stop",
                .group = "handlers",
                .threads = 3,
                .body = a_handler_that_registers_at_stop,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler that is registered while the handler thread stops runs once or is refused"});
  to.push_back(
      {.name = "handler_early",
       .group = "handlers",
       .threads = 3,
       .body = a_handler_thread_woken_early,
       .limits = {},
       .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
       .claim = "a handler thread that a registration wakes in advance misses no ticket that completes later"});
}

}  // namespace heddle::check
