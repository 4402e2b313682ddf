// The process ends while a runtime is open: by return from main, exit and quick_exit, from any thread.
#include <cstdlib>
#include <optional>

#include "heddle/sync/clock.hpp"
#include "heddle/tensor/core.hpp"
#include "process/scenario.hpp"

namespace heddle::test {
namespace {

// Left over by return_with_work; never destroyed.
struct Left {
  std::vector<Tensor> tensors;
  std::vector<int> factors;
  std::vector<Event> events;
};
std::vector<Left>* left = nullptr;

void check_left() {
  for (const Left& one : *left) {
    for (const Event& event : one.events) expect(event.query(), "work that was recorded is complete after exit");
    for (std::size_t i = 0; i < one.tensors.size(); ++i) {
      expect(one.tensors[i].item() == product_value(one.factors[i]), "a result that was drained at exit is wrong");
    }
  }
}

// Threads record and end; no thread waits for their work.
void leave_work(Random& random) {
  left = new std::vector<Left>(static_cast<std::size_t>(random.between(1, 8)));
  after_the_library(check_left);
  Runtime& runtime = open_for_ever();
  std::vector<std::thread> threads;
  for (Left& mine : *left) {
    threads.emplace_back([&mine, &runtime, seed = random.between(0, 1 << 30)] {
      Random own(static_cast<std::uint64_t>(seed));
      std::optional<Lease> lease;
      if (own.chance()) lease.emplace(runtime.lease());
      const int rounds = own.between(10, 200);
      for (int round = 0; round < rounds; ++round) {
        mine.factors.push_back(own.between(1, 16));
        mine.tensors.push_back(product(runtime, mine.factors.back()));
        if (own.between(0, 9) == 0) runtime.on_complete(counting_handler());
      }
      if (own.chance()) mine.events.push_back(runtime.record_event());  // otherwise it ends with uncommitted work
    });
  }
  for (std::thread& thread : threads) thread.join();
}

int return_with_work(Random& random) {
  leave_work(random);
  return 3;
}

int exit_with_work(Random& random) {
  leave_work(random);
  std::exit(3);
}

int quick_exit_with_work(Random& random) {
  leave_work(random);
  std::quick_exit(3);
}

int return_with_detached_threads(Random& random) {
  start_detached(open_for_ever(), random.between(1, 8), random);
  random.pause(20'000);
  return 3;
}

int exit_while_recording(Random& random) {
  Runtime& runtime = open_for_ever();
  start_detached(runtime, random.between(1, 8), random);
  const Tensor mine = product(runtime, 1);  // recorded by the thread that exits
  random.pause(20'000);
  std::exit(3);
}

int quick_exit_while_recording(Random& random) {
  Runtime& runtime = open_for_ever();
  start_detached(runtime, random.between(1, 8), random);
  const Tensor mine = product(runtime, 1);
  random.pause(20'000);
  std::quick_exit(3);
}

int exit_on_a_worker(Random& random) {
  Runtime& runtime = open_for_ever();
  start_detached(runtime, random.between(0, 7), random);
  const int delay_us = random.between(0, 20'000);
  const bool records = random.chance();
  std::thread worker([&runtime, delay_us, records] {
    if (records) product(runtime, 2);
    std::this_thread::sleep_for(std::chrono::microseconds(delay_us));
    std::exit(3);
  });
  if (random.chance()) record_until_closed(runtime, 1);
  worker.join();
  sleep_for_ever();
}

// Two runtimes with work: one deadline covers both.
int exit_with_two_runtimes(Random& random) {
  Options portable;  // its kernels have no library with static objects; the second runtime's do
  portable.cpu_kernels = CpuKernels::kPortable;
  static auto* const first = new Runtime(portable);  // NOLINT: never destroyed
  Runtime& second = open_for_ever();
  start_detached(second, random.between(1, 4), random);
  const int threads = random.between(1, 4);
  for (int i = 0; i < threads; ++i) {
    std::thread([] {
      try {
        while (true) expect(product(*first, 3).item() == product_value(3), "a result is wrong");
      } catch (const Closed&) {
      }
    }).detach();
  }
  random.pause(20'000);
  std::exit(3);
}

// The list that calls exit cannot end, and no thread waits for it. Runs on a worker, or on the waiting thread.
int exit_in_custom_operation(Random& random) {
  Runtime& runtime = open_for_ever_undrained();
  custom(runtime, "exits", {}, {}, [&](const CustomCall&) {
    expect(runtime.core().device().park(sync::Deadline::after(milliseconds(100))), "it waited for itself");
    std::exit(3);
  });
  if (random.chance()) {
    runtime.commit();
    sleep_for_ever();
  }
  runtime.synchronize();
  fail("synchronize returned");
}

constexpr Scenario kScenarios[] = {
    {"return_with_work", 3, return_with_work},
    {"exit_with_work", 3, exit_with_work},
    {"quick_exit_with_work", 3, quick_exit_with_work},
    {"return_with_detached_threads", 3, return_with_detached_threads},
    {"exit_while_recording", 3, exit_while_recording},
    {"quick_exit_while_recording", 3, quick_exit_while_recording},
    {"exit_on_a_worker", 3, exit_on_a_worker},
    {"exit_with_two_runtimes", 3, exit_with_two_runtimes},
    {"exit_in_custom_operation", 3, exit_in_custom_operation},
};

}  // namespace

std::span<const Scenario> exit_scenarios() { return kScenarios; }

}  // namespace heddle::test
