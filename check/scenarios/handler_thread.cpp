#include "heddle/stream/handler_thread.hpp"

#include <memory>
#include <stdexcept>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "check/scenarios/threaded_executor.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

class Tells final : public CompletionListener {
 public:
  HandlerThread* handlers = nullptr;
  HandlerQueue* line = nullptr;
  void on_progress(Queue&) noexcept override { handlers->on_progress(*line); }
};

// A line of a stream of the simulated device, with a committed list of ticket 1, and its handler thread.
struct OneLine {
  explicit OneLine(bool spins = false)
      : handlers(Limits{}, SpinTimes::of({}, spins, true), [this](const HandlerFailure&) {
          ++failures;
          throw std::runtime_error("thrown by the hook");
        }) {
    device.set_listener(&tells);
    tells.handlers = &handlers;
    tells.line = &line;
    submit_fill(device, *queue, 1, &cell);
  }
  bool add(CompletionHandler handler) { return handlers.add(line, {Ticket{1}, std::move(handler), {}, {}}); }

  Tells tells;
  sim::SimDevice device{{.auto_run = false}};
  std::unique_ptr<Queue> queue = make_queue(device);
  HandlerQueue line{*queue};
  heddle_check::Noted<int> failures = 0;
  HandlerThread handlers;
  float cell = 0;
};

// A handler registers another and then throws, and so does the hook that receives the exception, while the device
// completes the ticket.
void a_handler_that_registers_and_throws() {
  OneLine one;
  heddle_check::Noted<int> first = 0, second = 0;
  const auto registers_and_throws = [&](const Status&) {
    ++first;
    one.add([&](const Status&) { ++second; });
    throw std::runtime_error("thrown by a handler");
  };
  heddle_check::run_together({{"recorder", [&] { one.add(registers_and_throws); }},
                              {"device", [&] { heddle_check::require(one.device.step(), "a list is due"); }}});
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(first == 1 && one.failures == 1, "an exception from a handler is reported once");
  heddle_check::require(second == 1, "a handler that a handler registers runs exactly once");
}

// The handler thread stops while a handler that a completed ticket made ripe registers another.
void a_handler_that_registers_at_stop() {
  OneLine one;
  heddle_check::require(one.device.step(), "a list is due");
  heddle_check::Noted<int> first = 0, second = 0;
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
                        "an accepted handler runs once, and a refused one does not");
}

// The registration wakes a spinning handler thread, and the device completes its ticket before or after that.
void a_handler_thread_woken_early() {
  OneLine one(true);
  heddle_check::Noted<int> first = 0, second = 0;
  one.add([&](const Status&) { ++first; });
  heddle_check::run_together({{"recorder", [&] { one.add([&](const Status&) { ++second; }); }},
                              {"device", [&] { heddle_check::require(one.device.step(), "a list is due"); }}});
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(first == 1 && second == 1, "each handler runs exactly once");
}

// Two threads register the first handlers, each on its own line: one handler thread runs them, one after another.
void first_handlers() {
  OneLine one;
  heddle_check::require(one.device.step(), "a list is due");
  const std::unique_ptr<Queue> queue = make_queue(one.device, 2);
  HandlerQueue other(*queue);
  heddle_check::Cell<int> told(0, "handler data");
  const auto tells = [&](const Status&) { told.change() += 1; };
  heddle_check::run_together(
      {{"first", [&] { one.add(tells); }}, {"second", [&] { one.handlers.add(other, {Ticket{}, tells, {}, {}}); }}});
  heddle_check::require(one.handlers.stop({&one.line, &other}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(told.get() == 2, "each ran once");
}

// Two threads register handlers, and the host refuses once to start the thread that runs them.
void handler_thread_that_fails() {
  OneLine one;
  heddle_check::require(one.device.step(), "a list is due");
  heddle_check::Noted<int> taken = 0, told = 0;
  const auto user = [&] {
    try {
      taken += one.add([&](const Status&) { ++told; }) ? 1 : 0;
    } catch (const Unsupported&) {  // per contract: it was not accepted
    }
  };
  heddle_check::run_together({{"first", user}, {"second", user}});
  heddle_check::require(taken >= 1, "one refusal fails one call");
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(told == taken, "each accepted handler ran once");
}

// A thread registers handlers of one line, of which one may be pending, while they run.
void handlers_at_the_bound() {
  OneLine one;
  const sync::Atomic<bool> never{false};
  heddle_check::Noted<int> told = 0;
  heddle_check::run_together({{"recorder",
                               [&] {
                                 for (int i = 0; i < 3; ++i) {
                                   heddle_check::require(one.line.wait_for_room(1, never, kForEver),
                                                         "the thread gets room");
                                   heddle_check::require(one.line.counts().pending() == 0, "there is room");
                                   one.add([&](const Status&) { ++told; });
                                 }
                               }},
                              {"device", [&] { heddle_check::require(one.device.step(), "a list is due"); }}});
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(told == 3, "each ran once");
}

// A handler on an executor's thread registers another on its own line, which has room for one.
void handler_that_registers_from_its_executor() {
  OneLine one;
  const auto executor = std::make_shared<ThreadedExecutor>();
  const sync::Atomic<bool> never{false};
  heddle_check::Noted<int> outer = 0, inner = 0;
  const auto registers = [&](const Status&) {
    ++outer;
    heddle_check::require(one.line.wait_for_room(1, never, kForEver), "there is room");
    one.add([&](const Status&) { ++inner; });
  };
  one.handlers.add(one.line, {Ticket{1}, registers, {.name = "outer", .executor = executor}, {}});
  heddle_check::run_together({{"executor", [&] { executor->work(); }},
                              {"device", [&] { heddle_check::require(one.device.step(), "a list is due"); }}});
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(outer == 1 && inner == 1, "each ran once");
}

// A thread waits with a deadline for room in a line that holds one handler, and registers one if it gets room.
void room_by_a_deadline() {
  OneLine one;
  const sync::Atomic<bool> never{false};
  heddle_check::Noted<int> told = 0;
  int taken = 1;
  one.add([&](const Status&) { ++told; });
  const auto registers = [&] {
    if (!one.line.wait_for_room(1, never, kSoon)) return;
    heddle_check::require(one.line.has_room(1), "there is room");
    one.add([&](const Status&) { ++told; });
    ++taken;
  };
  heddle_check::run_together(
      {{"recorder", registers}, {"device", [&] { heddle_check::require(one.device.step(), "a list is due"); }}});
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::never()), "no handler is left");
  heddle_check::require(told == taken && one.line.has_room(1), "each ran once, and there is room");
}

// The promise of stop() for `taken` accepted handlers: each received one status, and none is pending when it returns
// true.
void require_all_told(OneLine& one, int taken, int told) {
  const HandlerQueue::Counts counts = one.line.counts();
  heddle_check::require(one.line.idle() && counts.pending() == 0, "the count came back to zero");
  heddle_check::require(told == taken && counts.registered == std::uint64_t(taken),
                        "each accepted handler received one status");
}

// A thread registers a handler, completes its ticket, and waits with a deadline until none is pending; then the line is
// closed. The second thread is the handler thread: it takes the handler, runs it, counts it, and ends.
void count_of_a_handler() {
  OneLine one;
  heddle_check::Noted<int> told = 0;
  const bool taken = one.add([&](const Status&) { ++told; });
  heddle_check::require(one.device.step(), "a list is due");
  heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::after(kSoon)), "no handler is left");
  require_all_told(one, int{taken}, told);
}

// The same with three threads: one registers, the second waits and closes, the handler thread takes and counts it.
void count_at_stop() {
  OneLine one;
  heddle_check::require(one.device.step(), "a list is due");
  heddle_check::Noted<int> told = 0, taken = 0;
  heddle_check::run_together({{"recorder", [&] { taken += one.add([&](const Status&) { ++told; }) ? 1 : 0; }},
                              {"stopper", [&] {
                                 heddle_check::require(one.handlers.stop({&one.line}, sync::Deadline::after(kSoon)),
                                                       "no handler is left");
                               }}});
  require_all_told(one, taken, told);
}

}  // namespace

void add_handler_thread(Scenarios& to) {
  to.push_back({.name = "handler_thread",
                .group = "handlers",
                .threads = 3,
                .body = a_handler_that_registers_and_throws,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler registers another and throws into a hook that throws: none of the three is lost"});
  to.push_back({.name = "handler_at_stop",
                .group = "handlers",
                .threads = 3,
                .body = a_handler_that_registers_at_stop,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler registered while the handler thread stops runs once or is refused"});
  to.push_back({.name = "handler_early",
                .group = "handlers",
                .threads = 3,
                .body = a_handler_thread_woken_early,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler thread that a registration wakes early misses no ticket that completes later"});
  to.push_back({.name = "first_handlers",
                .group = "handlers",
                .threads = 3,
                .body = first_handlers,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "the first handlers, from two threads, start one handler thread"});
  to.push_back({.name = "handler_thread_that_fails",
                .group = "handlers",
                .threads = 3,
                .body = handler_thread_that_fails,
                .limits = {.thread_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler thread that cannot be started fails one call, and the next call tries again"});
  to.push_back({.name = "handlers_at_the_bound",
                .group = "handlers",
                .threads = 3,
                .body = handlers_at_the_bound,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a thread that waits for room for a handler gets it"});
  to.push_back({.name = "handler_from_executor",
                .group = "handlers",
                .threads = 3,
                .body = handler_that_registers_from_its_executor,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a wait for room inside an executor's task does not wait for that task"});
  to.push_back({.name = "room_by_deadline",
                .group = "handlers",
                .threads = 3,
                .body = room_by_a_deadline,
                .limits = all_choices(),
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a wait for room ends with room or by its deadline, and the counts stay right"});
  to.push_back({.name = "handler_count_2x4",
                .group = "handlers",
                .threads = 2,
                .body = count_of_a_handler,
                .limits = all_choices(),
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a wait for the last pending handler ends when each has received its status, not before"});
  to.push_back({.name = "handler_count_at_stop",
                .group = "handlers",
                .threads = 3,
                .body = count_at_stop,
                .limits = all_choices(),
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "the same while another thread registers one"});
}

}  // namespace heddle::check
