// Forks in a process that is using the library and in one that used it before.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>

#include "process/scenario.hpp"

namespace heddle::test {
namespace {

constexpr int kChildCode = 0;

// All objects that a child may inherit.
struct Objects {
  std::unique_ptr<Runtime> runtime = std::make_unique<Runtime>();
  Core& core = *runtime;
  Tensor tensor = product(core, 2);
  Tensor matrix = full(core, {4, 4}, 1.0f);
  Generator generator{core, 7};
  Event event = runtime->record_event();
  std::optional<Lease> lease{runtime->lease()};
};

// In a forked child: every call throws Forked immediately.
void expect_all_forked(Objects& objects) {
  const auto forked = [](const char* what, auto call) { expect_throws<Forked>(what, call); };
  Runtime& runtime = *objects.runtime;
  Core& core = objects.core;
  forked("Runtime()", [] { Runtime another; });
  forked("device_info", [&] { runtime.device_info(); });
  forked("commit", [&] { runtime.commit(); });
  forked("try_commit", [&] { runtime.try_commit(); });
  forked("synchronize", [&] { runtime.synchronize(); });
  forked("query", [&] { runtime.query(); });
  forked("stream", [&] { runtime.stream().id(); });
  forked("record_event", [&] { runtime.record_event(); });
  forked("wait", [&] { runtime.wait(objects.event); });
  forked("on_complete", [&] { runtime.on_complete(counting_handler()); });
  forked("handler_statistics", [&] { runtime.handler_statistics(); });
  forked("lease", [&] { runtime.lease(); });
  forked("memory_statistics", [&] { runtime.memory_statistics(); });
  forked("release_cached", [&] { runtime.release_cached(); });
  forked("executed", [&] { runtime.executed(); });
  forked("streams", [&] { runtime.streams(); });
  forked("shutdown", [&] { runtime.shutdown(); });
  forked("Event::query", [&] { objects.event.query(); });
  forked("Event::status", [&] { static_cast<void>(objects.event.status()); });
  forked("Event::wait", [&] { objects.event.wait(); });
  forked("Event::wait_for", [&] { objects.event.wait_for(milliseconds(1)); });
  forked("Lease::detach", [&] { objects.lease->detach(); });
  forked("Lease::attach", [&] { objects.lease->attach(); });
  forked("Lease::commit", [&] { objects.lease->commit(); });
  forked("Lease::try_commit", [&] { objects.lease->try_commit(); });
  forked("Lease::synchronize", [&] { objects.lease->synchronize(); });
  forked("Lease::query", [&] { objects.lease->query(); });
  forked("Lease::record_event", [&] { objects.lease->record_event(); });
  forked("Lease::wait", [&] { objects.lease->wait(objects.event); });
  forked("Lease::on_complete", [&] { objects.lease->on_complete(counting_handler()); });
  forked("Lease::native_handle", [&] { objects.lease->native_handle(); });
  forked("Generator", [&] { Generator another(core, 1); });
  forked("from_host", [&] { Tensor::from_host(core, std::vector<float>{1}, {1}); });
  forked("to_host", [&] { static_cast<void>(objects.matrix.to_host()); });
  forked("item", [&] { static_cast<void>(objects.tensor.item()); });
  forked("randn", [&] { randn(core, {2}); });
  forked("randn", [&] { randn(objects.generator, {2}); });
  forked("uniform", [&] { uniform(core, {2}); });
  forked("zeros", [&] { zeros(core, {2}); });
  forked("full", [&] { full(core, {2}, 1.0f); });
  forked("matmul", [&] { matmul(objects.matrix, objects.matrix); });
  forked("sum", [&] { sum(objects.matrix); });
  forked("mean", [&] { mean(objects.matrix, 0); });
  forked("add", [&] { add(objects.matrix, objects.matrix); });
  forked("relu", [&] { relu(objects.matrix); });
  forked("copy", [&] { copy(objects.matrix); });
  forked("reshape", [&] { reshape(objects.matrix, {16}); });
  forked("transpose", [&] { transpose(objects.matrix); });
}

// A signal kills a child that hangs, and the parent reports it. A library thread that forked in a handler blocks the
// signal.
void die_in_time() {
  sigset_t alarms;
  sigemptyset(&alarms);
  sigaddset(&alarms, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarms, nullptr);
  alarm(10);
}

// The course of a child: the calls, then the end of the objects, which must do nothing and print nothing.
void be_a_child(std::unique_ptr<Objects>& objects, Random& random) {
  die_in_time();
  const Clock::time_point start = Clock::now();
  expect_all_forked(*objects);
  expect(Clock::now() - start < std::chrono::seconds(2), "the calls of a forked child throw immediately");
  const Tensor shared = objects->tensor;
  if (random.chance()) objects->lease.reset();
  if (random.chance()) objects.reset();
}

pid_t fork_or_fail() {
  const pid_t child = fork();
  expect(child >= 0, "fork failed");
  return child;
}

void expect_child_ends_well(pid_t child) {
  int status = 0;
  expect(waitpid(child, &status, 0) == child, "waitpid failed");
  expect(!WIFSIGNALED(status), "the child died by signal " + std::to_string(WTERMSIG(status)));
  expect(WEXITSTATUS(status) == kChildCode, "the child ended with " + std::to_string(WEXITSTATUS(status)));
}

// Threads that compute and compare until they are stopped.
class Workers {
 public:
  Workers(Runtime& runtime, int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back(
          [this, &runtime, i] { record_until_closed(runtime, static_cast<std::uint64_t>(i), &stop_); });
    }
  }
  void stop() {
    stop_.store(true);
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

// Forks while 8 threads compute. True in the child.
bool fork_among_threads(std::unique_ptr<Objects>& objects, Random& random, bool on_worker) {
  objects = std::make_unique<Objects>();
  Runtime& runtime = *objects->runtime;
  auto* const workers = new Workers(runtime, 8);  // NOLINT: in the child its threads cannot be joined
  random.pause(20'000);
  pid_t child = -1;
  const auto fork_here = [&] {
    child = fork_or_fail();
    if (child != 0) return;
    be_a_child(objects, random);
    if (on_worker) std::exit(kChildCode);
  };
  if (on_worker) {
    std::thread(fork_here).join();
  } else {
    fork_here();
  }
  if (child == 0) return true;
  expect_child_ends_well(child);
  random.pause(5'000);
  workers->stop();
  delete workers;
  expect(objects->tensor.item() == product_value(2), "the parent's tensor has its value");
  objects->lease->synchronize();
  expect(product(runtime, 3).item() == product_value(3), "the parent computes on");
  const ShutdownReport report = runtime.shutdown();
  expect(report.complete && report.failed == 0, "the parent shuts down: " + report.text());
  expect(handlers_called() == report.handlers_run, "the parent's handlers ran once each");
  return false;
}

int fork_child_returns(Random& random) {
  std::unique_ptr<Objects> objects;
  fork_among_threads(objects, random, false);
  return kChildCode;
}

int fork_child_exits(Random& random) {
  static std::unique_ptr<Objects> objects;  // destroyed in the child as in the parent
  if (fork_among_threads(objects, random, false)) std::exit(kChildCode);
  return 0;
}

int fork_on_a_worker(Random& random) {
  static std::unique_ptr<Objects> objects;
  fork_among_threads(objects, random, true);
  return 0;
}

// A grandchild is recognized too, and may still start another program.
int fork_twice(Random& random) {
  auto objects = std::make_unique<Objects>();
  Workers workers(*objects->runtime, random.between(1, 4));
  const pid_t child = fork_or_fail();
  if (child == 0) {
    const pid_t grandchild = fork_or_fail();
    if (grandchild == 0) {
      be_a_child(objects, random);
      execl("/bin/true", "true", nullptr);
      fail("exec failed");
    }
    expect_child_ends_well(grandchild);
    be_a_child(objects, random);
    std::exit(kChildCode);
  }
  expect_child_ends_well(child);
  workers.stop();
  return 0;
}

int fork_after_the_runtime_ended(Random& random) {
  const auto compute = [](int threads) {
    Runtime runtime;
    Workers workers(runtime, threads);
    expect(product(runtime, 4).item() == product_value(4), "a result is wrong");
    runtime.on_complete(counting_handler());
    workers.stop();
  };
  const int threads = random.between(1, 8);
  compute(threads);
  const pid_t child = fork_or_fail();
  if (child == 0) {
    die_in_time();
    compute(threads);
    if (random.chance()) std::exit(kChildCode);
    return kChildCode;
  }
  compute(threads);
  expect_child_ends_well(child);
  return 0;
}

// An event or a lease that outlived its runtime is the last owner of the device and its threads, which do not exist in
// the child.
int fork_with_what_outlived_the_runtime(Random& random) {
  Event event;
  std::optional<Lease> lease;
  {
    Runtime runtime;
    if (random.chance()) lease.emplace(runtime.lease());
    expect(product(runtime, 2).item() == product_value(2), "a result is wrong");
    event = runtime.record_event();
  }
  const auto let_go = [&] {
    lease.reset();
    event = Event();
  };
  const pid_t child = fork_or_fail();
  if (child == 0) {
    die_in_time();
    expect_throws<Forked>("query", [&] { event.query(); });
    let_go();
    if (random.chance()) std::exit(kChildCode);
    return kChildCode;
  }
  expect_child_ends_well(child);
  expect(event.query(), "the parent's event is complete");
  let_go();
  return 0;
}

int fork_in_handler(Random& random) {
  auto objects = std::make_unique<Objects>();
  Runtime& runtime = *objects->runtime;
  Workers workers(runtime, random.between(1, 8));
  std::atomic<pid_t> child{-1};
  const bool exits = random.chance();
  runtime.on_complete([&](const Status&) {
    const pid_t forked = fork_or_fail();
    if (forked == 0) {
      be_a_child(objects, random);
      if (exits) std::exit(kChildCode);
      return;  // there is no thread to return to: the process ends
    }
    child.store(forked);
  });
  while (child.load() == -1) random.pause(100);
  expect_child_ends_well(child.load());
  workers.stop();
  const ShutdownReport report = runtime.shutdown();
  expect(report.complete && report.failed == 0, "the parent shuts down: " + report.text());
  return 0;
}

// Runs on a worker, which has nothing to return to in the child, or on the waiting thread, which gets Forked.
int fork_in_custom_operation(Random& random) {
  auto objects = std::make_unique<Objects>();
  Runtime& runtime = *objects->runtime;
  Workers workers(runtime, random.between(1, 8));
  std::atomic<pid_t> child{-1};
  custom(runtime, "forks", {}, {}, [&](const CustomCall&) {
    const pid_t forked = fork_or_fail();
    if (forked == 0) {
      die_in_time();
    } else {
      child.store(forked);
    }
  });
  if (random.chance()) {
    runtime.commit();
    while (child.load() == -1) random.pause(100);
  }
  try {
    runtime.synchronize();
  } catch (const Forked&) {
    if (child.load() != -1) fail("the parent took itself for the child");
    be_a_child(objects, random);
    std::exit(kChildCode);  // the workers' threads do not exist here and cannot be joined
  }
  expect_child_ends_well(child.load());
  workers.stop();
  const ShutdownReport report = runtime.shutdown();
  expect(report.complete && report.failed == 0, "the parent shuts down: " + report.text());
  return 0;
}

constexpr Scenario kScenarios[] = {
    {"fork_child_returns", 0, fork_child_returns},
    {"fork_child_exits", 0, fork_child_exits},
    {"fork_on_a_worker", 0, fork_on_a_worker},
    {"fork_twice", 0, fork_twice},
    {"fork_after_the_runtime_ended", 0, fork_after_the_runtime_ended},
    {"fork_with_what_outlived_the_runtime", 0, fork_with_what_outlived_the_runtime},
    {"fork_in_handler", 0, fork_in_handler},
    {"fork_in_custom_operation", 0, fork_in_custom_operation},
};

}  // namespace

std::span<const Scenario> fork_scenarios() { return kScenarios; }

}  // namespace heddle::test
