// A process ends with work that never ends, wherever the Runtime object is: it takes 2 s and keeps the program's exit
// code.
#include <cstdlib>
#include <memory>
#include <utility>

#include "process/scenario.hpp"

namespace heddle::test {
namespace {

// The bound, plus slack for a loaded machine.
constexpr milliseconds kMostAtExit{3500};
Clock::time_point exit_began;

void check_exit_time() {
  expect(Clock::now() - exit_began < kMostAtExit, "the end of the process took longer than its bound");
}

void get_stuck(Runtime& runtime) {
  product(runtime, 1);
  custom(runtime, "never ends", {}, {}, [](const CustomCall&) { sleep_for_ever(); });
  runtime.commit();
  product(runtime, 1);
  exit_began = Clock::now();
}

int stuck_static(Random& random) {
  after_the_library(check_exit_time);
  static Runtime runtime;
  get_stuck(runtime);
  if (random.chance()) std::exit(3);
  return 3;
}

int stuck_statics(Random&) {
  after_the_library(check_exit_time);
  static Runtime first;
  static const std::shared_ptr<Runtime> second = std::make_shared<Runtime>();
  static Runtime third;
  for (Runtime* one : {&first, second.get(), &third}) get_stuck(*one);
  return 3;
}

int stuck_leaked(Random& random) {
  after_the_library(check_exit_time);
  get_stuck(open_for_ever_undrained());
  get_stuck(*new Runtime);  // NOLINT: never destroyed
  if (random.chance()) std::quick_exit(3);
  return 3;
}

int stuck_thread_local(Random& random) {
  after_the_library(check_exit_time);
  static thread_local Runtime runtime;
  get_stuck(runtime);
  if (random.chance()) std::exit(3);
  return 3;
}

int stuck_in_exit_handler(Random& random) {
  after_the_library(check_exit_time);
  static Runtime* runtime = nullptr;
  if (random.chance()) runtime = new Runtime;  // opened before the handler is set, or after
  std::atexit([] { delete std::exchange(runtime, nullptr); });
  if (runtime == nullptr) runtime = new Runtime;
  get_stuck(*runtime);
  return 3;
}

// A service object that shuts down by itself.
int stuck_shutdown_in_static(Random&) {
  after_the_library(check_exit_time);
  struct Service {
    Runtime runtime;
    ~Service() { expect(!runtime.shutdown().complete, "the work cannot have ended"); }
  };
  static Service service;
  get_stuck(service.runtime);
  return 3;
}

int stuck_in_the_reaper(Random& random) {
  after_the_library(check_exit_time);
  auto owner = std::make_shared<Runtime>();
  Runtime& runtime = *owner;
  runtime.on_complete([owner = std::move(owner)](const Status&) mutable {
    get_stuck(*owner);
    owner.reset();
  });
  while (runtimes_left().ending == 0) random.pause(100);
  random.pause(5'000);
  exit_began = Clock::now();
  return 3;
}

// A stuck list takes no time from other work.
int stuck_beside_work(Random&) {
  after_the_library(check_exit_time);
  static std::vector<Tensor> results;
  after_the_library([] {
    for (const Tensor& result : results) expect(result.item() == product_value(2), "work beside it was not drained");
  });
  Options options;
  options.cpu_workers = 2;  // one of them gets stuck
  static Runtime first(options);
  static Runtime second(options);
  for (Runtime* one : {&first, &second}) {
    for (int i = 0; i < 100; ++i) results.push_back(product(*one, 2));  // the main thread's, not committed
  }
  std::thread([] {
    get_stuck(second);
    get_stuck(*new Runtime);  // NOLINT: never destroyed
  }).join();
  return 3;
}

constexpr Scenario kScenarios[] = {
    {"stuck_static", 3, stuck_static},
    {"stuck_statics", 3, stuck_statics},
    {"stuck_leaked", 3, stuck_leaked},
    {"stuck_thread_local", 3, stuck_thread_local},
    {"stuck_in_exit_handler", 3, stuck_in_exit_handler},
    {"stuck_shutdown_in_static", 3, stuck_shutdown_in_static},
    {"stuck_in_the_reaper", 3, stuck_in_the_reaper},
    {"stuck_beside_work", 3, stuck_beside_work},
};

}  // namespace

std::span<const Scenario> stuck_scenarios() { return kScenarios; }

}  // namespace heddle::test
