// Handlers that run outside the handler thread, or make forbidden calls on it.
#include <functional>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "check/scenarios/threaded_executor.hpp"
#include "heddle/runtime.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Has no thread: runs a task immediately, drops it, or refuses it.
class ThreadlessExecutor final : public Executor {
 public:
  enum Fate : std::uint32_t { kRuns, kDrops, kRefuses, kFates };
  explicit ThreadlessExecutor(std::uint32_t fate) : fate_(fate) {}

  void execute(std::function<void()> task) override {
    if (fate_ == kRuns) task();
    if (fate_ == kRefuses) throw std::runtime_error("refused by an executor");
  }

 private:
  const std::uint32_t fate_;
};

// The fate of a handler that was handed to an executor while the runtime shut down.
struct OneHandler {
  void add_to(Runtime& runtime, std::shared_ptr<Executor> executor) {
    const auto handler = [this](const Status& status) { ++(status.kind() == ErrorKind::kAbandoned ? abandoned : run); };
    try {
      runtime.on_complete(handler, {.name = "one", .executor = std::move(executor)});
      taken = true;
    } catch (const Closed&) {  // per contract
    } catch (const std::bad_alloc&) {
    }
  }
  void require_told_once() const {
    heddle_check::require(report.complete, "no handler is left");
    heddle_check::require(run + abandoned == int{taken}, "an accepted handler receives one status");
    heddle_check::require(
        report.handlers_run == std::uint64_t(run) && report.handlers_abandoned == std::uint64_t(abandoned),
        "and is counted accordingly");
  }

  bool taken = false;
  heddle_check::Noted<int> run = 0, abandoned = 0;
  ShutdownReport report;
};

// The runtime shuts down and is destroyed while an executor's thread is running a handler's task. The handler is
// registered before that: registering during a shutdown is another scenario's subject.
void handler_on_an_executors_thread() {
  auto runtime = std::make_unique<Runtime>(simulated());
  const auto executor = std::make_shared<ThreadedExecutor>();
  OneHandler one;
  one.add_to(*runtime, executor);
  heddle_check::run_together({{"executor", [&] { executor->work(); }}, {"owner", [&] {
                                                                          one.report = runtime->shutdown();
                                                                          runtime.reset();
                                                                        }}});
  one.require_told_once();
  heddle_check::require(one.run == 1, "and the handler ran");
}

void handler_of_an_executor_without_threads() {
  Runtime runtime(simulated());
  const std::uint32_t fate =
      heddle_check::choose(heddle_check::ChoiceKind::kCustom, std::uint32_t{ThreadlessExecutor::kFates});
  const auto executor = std::make_shared<ThreadlessExecutor>(fate);
  OneHandler one;
  heddle_check::run_together(
      {{"recorder", [&] { one.add_to(runtime, executor); }}, {"closer", [&] { one.report = runtime.shutdown(); }}});
  one.require_told_once();
  heddle_check::require(!one.taken || (one.run == 1) == (fate == ThreadlessExecutor::kRuns),
                        "and the status matches its fate");
}

// Host memory runs out when the handler is registered or handed over.
void handler_of_an_executor_without_memory() {
  Runtime runtime(simulated());
  OneHandler one;
  const auto executor = std::make_shared<ThreadlessExecutor>(ThreadlessExecutor::kRuns);
  heddle_check::run_together(
      {{"recorder", [&] { one.add_to(runtime, executor); }}, {"closer", [&] { one.report = runtime.shutdown(); }}});
  one.require_told_once();
}

// A handler requests a shutdown, which would wait for that handler, while another thread shuts down.
void shutdown_in_a_handler() {
  Runtime runtime(simulated());
  heddle_check::Noted<int> refused = 0, told = 0;
  ShutdownReport report;
  runtime.on_complete([&](const Status&) {
    ++told;
    try {
      runtime.shutdown();
    } catch (const WouldBlock&) {
      ++refused;
    }
  });
  report = runtime.shutdown();
  heddle_check::require(told == 1 && refused == 1, "the handler ran, and its shutdown was refused");
  heddle_check::require(report.complete && report.handlers_run == 1, "the other shutdown completes");
}

}  // namespace

void add_executor(Scenarios& to) {
  to.push_back(
      {.name = "executor",
       .group = "handlers",
       .threads = 3,
       .body = handler_on_an_executors_thread,
       .limits = {},
       .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
       .claim = "a handler runs once on an executor's thread, and the objects that its task uses outlive the runtime"});
  to.push_back(
      {.name = "executor_without_thread",
       .group = "handlers",
       .threads = 3,
       .body = handler_of_an_executor_without_threads,
       .limits = {},
       .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
       .claim = "a handler that an executor runs immediately, drops or refuses receives one status, even at shutdown"});
  to.push_back(
      {.name = "executor_without_memory",
       .group = "handlers",
       .threads = 3,
       .body = handler_of_an_executor_without_memory,
       .limits = {.host_memory_failures = 1},
       .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
       .claim = "if host memory runs out at the hand-over, a handler receives one error status, or was refused"});
  to.push_back({.name = "shutdown_in_handler",
                .group = "shutdown",
                .threads = 2,
                .body = shutdown_in_a_handler,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a handler that calls shutdown() is refused, and no thread waits for it"});
}

}  // namespace heddle::check
