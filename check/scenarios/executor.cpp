// Handlers that run elsewhere than on the handler thread, or ask there for what they may not.
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/runtime/runtime.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Runs a task on a thread of its own, runs it at once, drops it, or refuses it.
class ChosenExecutor final : public Executor {
 public:
  explicit ChosenExecutor(std::uint32_t fate) : fate_(fate) {}
  static constexpr std::uint32_t kFates = 4;

  void execute(std::function<void()> task) override {
    if (fate_ == 1) task();
    if (fate_ == 3) throw std::runtime_error("refused by an executor");
    if (fate_ != 0) return;
    sync::MutexLock lock(mutex_);
    task_ = std::move(task);
    changed_.notify_all();
  }
  bool drops() const noexcept { return fate_ >= 2; }
  // The thread of its own: until close().
  void work() {
    sync::MutexLock lock(mutex_);
    while (true) {
      while (!task_ && !closed_) changed_.wait(mutex_);
      if (!task_) return;
      std::function<void()> task = std::exchange(task_, nullptr);
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }
  void close() {
    sync::MutexLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  const std::uint32_t fate_;
  sync::Mutex mutex_{Rank::kLeaf};
  sync::ConditionVariable changed_;
  std::function<void()> task_ HEDDLE_GUARDED_BY(mutex_);
  bool closed_ HEDDLE_GUARDED_BY(mutex_) = false;
};

// A handler goes to an executor while the runtime shuts down.
void handler_of_an_executor() {
  Runtime runtime(simulated());
  const auto executor =
      std::make_shared<ChosenExecutor>(heddle_check::choose(heddle_check::ChoiceKind::kCustom, ChosenExecutor::kFates));
  bool taken = false;
  heddle_check::Noted<int> run = 0, abandoned = 0;
  ShutdownReport report;
  heddle_check::run_together({{"recorder",
                               [&] {
                                 const auto handler = [&](const Status& status) {
                                   ++(status.kind() == ErrorKind::kAbandoned ? abandoned : run);
                                 };
                                 try {
                                   runtime.on_complete(handler, {.name = "one", .executor = executor});
                                   taken = true;
                                 } catch (const Closed&) {  // as the contract says
                                 }
                               }},
                              {"executor", [&] { executor->work(); }},
                              {"closer", [&] {
                                 report = runtime.shutdown();
                                 executor->close();
                               }}});
  heddle_check::require(report.complete, "no handler is left");
  heddle_check::require(run + abandoned == int{taken}, "a handler that was taken is told once");
  heddle_check::require(!taken || (run == 1) != executor->drops(), "and whether it was run or dropped");
  heddle_check::require(
      report.handlers_run == std::uint64_t(run) && report.handlers_abandoned == std::uint64_t(abandoned),
      "and is counted so");
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
  to.push_back({.name = "executor",
                .group = "handlers",
                .threads = 4,
                .body = handler_of_an_executor,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 1}, {.name = "walk", .executions = 10'000}},
                .claim = "a handler that goes to an executor is told once, whatever that does, also at shutdown"});
  to.push_back({.name = "shutdown_in_handler",
                .group = "shutdown",
                .threads = 2,
                .body = shutdown_in_a_handler,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 5'000}},
                .claim = "a handler that shuts down is refused, and nobody waits for it"});
}

}  // namespace heddle::check
