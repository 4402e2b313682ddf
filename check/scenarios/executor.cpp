// Handlers that run elsewhere than on the handler thread, or ask there for what they may not.
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

// Has no thread: runs a task at once, drops it, or refuses it.
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

// What became of a handler that went to an executor while the runtime shut down.
struct OneHandler {
  void add_to(Runtime& runtime, std::shared_ptr<Executor> executor) {
    const auto handler = [this](const Status& status) { ++(status.kind() == ErrorKind::kAbandoned ? abandoned : run); };
    try {
      runtime.on_complete(handler, {.name = "one", .executor = std::move(executor)});
      taken = true;
    } catch (const Closed&) {  // as the contract says
    } catch (const std::bad_alloc&) {
    }
  }
  void require_told_once() const {
    heddle_check::require(report.complete, "no handler is left");
    heddle_check::require(run + abandoned == int{taken}, "a handler that was taken is told once");
    heddle_check::require(
        report.handlers_run == std::uint64_t(run) && report.handlers_abandoned == std::uint64_t(abandoned),
        "and is counted so");
  }

  bool taken = false;
  heddle_check::Noted<int> run = 0, abandoned = 0;
  ShutdownReport report;
};

// The runtime shuts down and goes while an executor's thread is on its way through a handler's task. The handler is
// registered before: registering during a shutdown is another scenario's subject.
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
  heddle_check::require(one.run == 1, "and that it was run");
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
  heddle_check::require(!one.taken || (one.run == 1) == (fate == ThreadlessExecutor::kRuns), "and what became of it");
}

// There is no memory to register the handler, or to hand it over.
void handler_of_an_executor_without_memory() {
  Runtime runtime(simulated());
  OneHandler one;
  const auto executor = std::make_shared<ThreadlessExecutor>(ThreadlessExecutor::kRuns);
  heddle_check::run_together(
      {{"recorder", [&] { one.add_to(runtime, executor); }}, {"closer", [&] { one.report = runtime.shutdown(); }}});
  one.require_told_once();
}

// A handler asks for a shutdown, for which it would have to wait itself, while another thread shuts down.
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
  heddle_check::require(report.complete && report.handlers_run == 1, "the shutdown of others completes");
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
       .claim = "a handler runs once on an executor's thread, and what its task touches outlives the runtime"});
  to.push_back({.name = "executor_without_thread",
                .group = "handlers",
                .threads = 3,
                .body = handler_of_an_executor_without_threads,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler that an executor runs at once, drops or refuses is told once, also at shutdown"});
  to.push_back({.name = "executor_without_memory",
                .group = "handlers",
                .threads = 3,
                .body = handler_of_an_executor_without_memory,
                .limits = {.host_memory_failures = 1},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler that the host has no memory to hand over is told so, once, or was refused"});
  to.push_back({.name = "shutdown_in_handler",
                .group = "shutdown",
                .threads = 2,
                .body = shutdown_in_a_handler,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a handler that shuts down is refused, and nobody waits for it"});
}

}  // namespace heddle::check
