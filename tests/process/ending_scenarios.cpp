// Runtimes that end from inside, by dropping the last reference or requesting a shutdown.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include "process/scenario.hpp"
#include "sandbox.hpp"

namespace heddle::test {
namespace {

std::ptrdiff_t threads() {
  namespace fs = std::filesystem;
  return std::distance(fs::directory_iterator("/proc/self/task"), fs::directory_iterator());
}

void expect_all_ended(std::ptrdiff_t threads_before, const std::string& where) {
  const Clock::time_point end = Clock::now() + std::chrono::seconds(10);
  const auto ended = [&] { return runtimes_left().ending == 0 && threads() <= threads_before; };
  while (!ended() && Clock::now() < end) std::this_thread::sleep_for(milliseconds(1));
  const RuntimesLeft left = runtimes_left();
  expect(left.ending == 0 && left.kept == 0, where + ": " + std::to_string(left.ending) + " runtimes are ending, " +
                                                 std::to_string(left.kept) + " are kept");
  expect(threads() <= threads_before, where + ": threads are left");
}

// Runs each task on a new thread, which its owner joins.
struct Threads final : Executor {
  void execute(std::function<void()> task) override {
    std::lock_guard lock(mutex);
    all.emplace_back(std::move(task));
  }
  ~Threads() override { join(); }
  // A task may end before execute() has returned on the handler thread.
  void join() {
    std::lock_guard lock(mutex);
    for (std::thread& thread : all) thread.join();
    all.clear();
  }
  std::mutex mutex;
  std::vector<std::thread> all;
};

// Runs each task immediately on the handler thread, and then does some work of its own.
struct Inline final : Executor {
  explicit Inline(std::function<void()> after) : after_(std::move(after)) {}
  ~Inline() override { after_ = nullptr; }
  void execute(std::function<void()> task) override {
    task();
    task = nullptr;
    if (after_) after_();
  }
  std::function<void()> after_;
};

using Owner = std::shared_ptr<Runtime>;

// Each one drops the last owner at the place in its name. What it leaves must be joined before threads are counted.
struct Place {
  const char* name;
  void (*drop)(Owner owner, std::vector<std::shared_ptr<Threads>>& executors);
};

constexpr Place kPlaces[] = {
    {"a handler",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       product(runtime, 1);
       runtime.on_complete([owner = std::move(owner)](const Status&) mutable { owner.reset(); });
     }},
    {"the destructor of a handler",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       product(runtime, 1);
       runtime.on_complete([owner = std::move(owner)](const Status&) {});
     }},
    {"a handler in an executor",
     [](Owner owner, auto& executors) {
       Runtime& runtime = *owner;
       const auto executor = executors.emplace_back(std::make_shared<Threads>());
       product(runtime, 1);
       runtime.on_complete([owner = std::move(owner)](const Status&) mutable { owner.reset(); },
                           {"in an executor", executor});
     }},
    {"an executor",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       product(runtime, 1);
       const auto held = std::make_shared<Owner>(std::move(owner));
       runtime.on_complete(counting_handler(), {"inline", std::make_shared<Inline>([held] { held->reset(); })});
     }},
    {"the destructor of an executor",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       product(runtime, 1);
       const auto held = std::make_shared<Owner>(std::move(owner));
       runtime.on_complete(counting_handler(), {"inline", std::make_shared<Inline>([held] {})});
     }},
    {"a custom operation",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       const auto held = std::make_shared<Owner>(std::move(owner));
       custom(runtime, "drops", {}, {}, [held](const CustomCall&) { held->reset(); });
       runtime.commit();
     }},
    {"the destructor of a custom operation",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       custom(runtime, "drops", {}, {}, [owner = std::move(owner)](const CustomCall&) {});
       runtime.commit();
     }},
    {"a custom operation that fails",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       custom(runtime, "throws", {}, {}, [owner = std::move(owner)](const CustomCall&) { throw std::bad_alloc(); });
       runtime.commit();
     }},
    {"a thread that runs the list it waits for",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       const Tensor kept = product(runtime, 2);
       const auto held = std::make_shared<Owner>(std::move(owner));
       custom(runtime, "drops", {}, {}, [held](const CustomCall&) { held->reset(); });
       Event done = runtime.record_event();
       done.wait();
     }},
    {"a deleter of user memory",
     [](Owner owner, auto&) {
       Runtime& runtime = *owner;
       static float memory[4] = {1, 2, 3, 4};
       const auto held = std::make_shared<Owner>(std::move(owner));
       const Tensor x = Tensor::from_external(runtime, memory, {4}, {}, [held] { held->reset(); });
       product(runtime, 1);
       runtime.on_complete([x](const Status&) {});
     }},
};

int last_owners(Random& random) {
  {
    Runtime once;
  }
  const std::ptrdiff_t before = threads();
  for (const Place& place : kPlaces) {
    std::vector<std::shared_ptr<Threads>> executors;
    const int count = random.between(1, 6);
    for (int i = 0; i < count; ++i) place.drop(std::make_shared<Runtime>(), executors);
    random.pause(2'000);
    const Clock::time_point end = Clock::now() + std::chrono::seconds(10);
    while ((runtimes_left().ending != 0 || threads() > before) && Clock::now() < end) random.pause(1'000);
    executors.clear();
    expect_all_ended(before, place.name);
  }
  return 3;
}

// The runtime is destroyed before the last objects that refer to it, which are dropped in a handler or a custom
// operation of another runtime.
int last_references(Random& random) {
  Runtime other;
  product(other, 1).item();
  other.on_complete([](const Status&) {});
  other.synchronize();
  std::this_thread::sleep_for(milliseconds(20));
  const std::ptrdiff_t before = threads();
  for (int round = 0; round < 6; ++round) {
    Tensor tensor;
    Event event;
    auto lease = std::make_shared<std::optional<Lease>>();
    {
      Runtime gone;
      lease->emplace(gone.lease());
      tensor = product(gone, 2);
      event = gone.record_event();
      event.wait();
    }
    if (random.chance()) tensor = Tensor();
    if (random.chance()) event = Event();
    if (random.chance()) lease->reset();
    const bool in_handler = random.chance();
    auto drop = [tensor = std::move(tensor), event = std::move(event), lease = std::move(lease)]() mutable {
      tensor = Tensor();
      event = Event();
      lease = nullptr;
    };
    if (in_handler) {
      other.on_complete([drop = std::move(drop)](const Status&) mutable { drop(); });
    } else {
      custom(other, "drops", {}, {},
             [drop = std::make_shared<decltype(drop)>(std::move(drop))](const CustomCall&) { (*drop)(); });
    }
    other.synchronize();
  }
  expect_all_ended(before, "the last references");
  return 3;
}

int request_shutdown_inside(Random& random) {
  {
    Runtime once;
  }
  const std::ptrdiff_t before = threads();
  for (int round = 0; round < 6; ++round) {
    auto executor = std::make_shared<Threads>();
    Runtime runtime;
    const Tensor x = product(runtime, 3);
    switch (round % 3) {
      case 0: runtime.on_complete([&](const Status&) { runtime.request_shutdown(); }); break;
      case 1:
        runtime.on_complete(
            [&](const Status&) {
              expect_throws<WouldBlock>("shutdown() in an executor's handler", [&] { runtime.shutdown(); });
              runtime.request_shutdown();
            },
            {"in an executor", executor});
        break;
      default:
        custom(runtime, "asks", {}, {}, [&](const CustomCall&) { runtime.request_shutdown(); });
        runtime.commit();
    }
    random.pause(2'000);
    const ShutdownReport report = runtime.shutdown();
    expect(report.complete, report.text());
    expect(x.item() == product_value(3), "what was recorded before is done");
    expect_throws<Closed>("recording after the request", [&] { product(runtime, 1); });
    executor->join();
  }
  expect_all_ended(before, "after request_shutdown()");
  return 3;
}

// A fork after the reaper was used: the child is like a new process. Not under sanitizers: ThreadSanitizer has its own
// thread, which starts with the program's first thread.
int fork_after_the_reaper(Random& random) {
  if (test::kSanitized) return 3;
  for (int round = 0; round < 3; ++round) {
    const auto drop = [] {
      auto owner = std::make_shared<Runtime>();
      Runtime& runtime = *owner;
      runtime.on_complete([owner = std::move(owner)](const Status&) mutable { owner.reset(); });
    };
    const std::ptrdiff_t before = threads();
    drop();
    expect_all_ended(before, "before the fork");
    random.pause(500);
    const pid_t child = fork();
    if (child == 0) {
      drop();
      const Clock::time_point end = Clock::now() + std::chrono::seconds(10);
      while (threads() != 1 && Clock::now() < end) std::this_thread::sleep_for(milliseconds(1));
      std::exit(threads() == 1 ? 5 : 6);
    }
    int status = 0;
    expect(child > 0 && waitpid(child, &status, 0) == child, "the child is there");
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 5, "the child uses the library as a new process does");
  }
  return 3;
}

// Host memory, after one-time allocations of the process.
int runtimes_leave_nothing(Random&) {
  const auto in_use = [](int rounds) {
    for (int i = 0; i < rounds; ++i) Runtime runtime;
    return static_cast<double>(mallinfo2().uordblks);
  };
  constexpr int kRounds = 400;
  const double before = in_use(100);
  const double each = (in_use(kRounds) - before) / kRounds;
  expect(each < 8, std::to_string(each) + " bytes are left of each runtime");
  return 3;
}

constexpr Scenario kScenarios[] = {
    {"last_owners", 3, last_owners},
    {"last_references", 3, last_references},
    {"request_shutdown_inside", 3, request_shutdown_inside},
    {"fork_after_the_reaper", 3, fork_after_the_reaper},
    {"runtimes_leave_nothing", 3, runtimes_leave_nothing},
};

}  // namespace

std::span<const Scenario> ending_scenarios() { return kScenarios; }

}  // namespace heddle::test
