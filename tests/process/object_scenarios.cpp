// Runtimes, tensors, events, leases and generators in static and thread-local objects; threads that end early.
#include <cstdlib>
#include <memory>
#include <optional>

#include "process/scenario.hpp"

namespace heddle::test {
namespace {

// One of each. The destructor uses them: results can be read, and new work is refused if it can no longer run.
struct Box {
  enum class End { kUnchecked, kRecords, kRecordsOrClosed, kClosed };

  std::optional<Tensor> tensor;
  std::optional<Event> event;
  std::optional<Lease> lease;
  std::optional<Generator> generator;
  int factor = 0;
  End end = End::kUnchecked;

  Box() {}  // NOLINT: not constexpr, so that its place in the order of destruction is that of its construction
  ~Box() {
    if (end == End::kUnchecked) return;
    expect(event->query(), "an event in a static or thread-local object is complete");
    expect(tensor->item() == product_value(factor), "a tensor in a static or thread-local object has its value");
    try {
      relu(*tensor);
      expect(end != End::kClosed, "recording in a destructor was not refused");
    } catch (const Closed&) {
      expect(end != End::kRecords, "recording in a destructor was refused");
    }
  }

  void fill(Runtime& runtime, Random& random, End how) {
    if (random.chance()) lease.emplace(runtime.lease());
    factor = random.between(1, 16);
    tensor.emplace(product(runtime, factor));
    if (random.chance()) generator.emplace(runtime, 7);
    event.emplace(runtime.record_event());
    event->wait();
    end = how;
  }
};

Box before_main;

int leaked_runtime(Random& random) {
  Runtime& runtime = open_for_ever();
  std::vector<std::thread> threads;
  for (int i = random.between(1, 8); i > 0; --i) {
    threads.emplace_back([&runtime, factor = random.between(1, 16)] {
      expect(product(runtime, factor).item() == product_value(factor), "a result is wrong");
      runtime.on_complete(counting_handler());
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 3;
}

// Detached threads that know the runtime only through a tensor: it may end during their work.
void start_detached_on_tensors(Runtime& runtime, int threads) {
  for (int i = 0; i < threads; ++i) {
    std::thread([mine = full(runtime, {16}, 1.0f), ready = runtime.record_event()] {
      try {
        ready.wait();
        while (true) expect(sum(add(mine, mine)).item() == 32.0f, "a result is wrong");
      } catch (const Closed&) {
      }
    }).detach();
  }
}

std::optional<Runtime> runtime_before_main;

int static_runtime(Random& random) {
  static std::optional<Runtime> runtime_in_function;
  std::optional<Runtime>& place = random.chance() ? runtime_before_main : runtime_in_function;
  Runtime& runtime = place.emplace();
  start_detached_on_tensors(runtime, random.between(0, 7));
  for (int i = 0; i < 20; ++i) {
    product(runtime, 2);
    if (random.chance()) runtime.on_complete(counting_handler());
  }
  random.pause(10'000);
  if (random.chance()) std::exit(3);
  return 3;
}

// A runtime whose static destructor shuts down while other threads record.
int static_runtime_by_value(Random& random) {
  static Runtime runtime;
  start_detached_on_tensors(runtime, random.between(0, 3));
  product(runtime, 2);
  runtime.on_complete(counting_handler());
  random.pause(10'000);
  return 3;
}

int static_objects(Random& random) {
  static Box before_runtime;
  std::optional<Runtime> local;
  const bool leak = random.chance();
  Runtime& runtime = leak ? open_for_ever() : local.emplace();
  static Box after_runtime;
  // Destroyed before the library's part of the exit; a local runtime is closed by then.
  before_main.fill(runtime, random, Box::End::kClosed);
  before_runtime.fill(runtime, random, Box::End::kClosed);
  // Destroyed before the runtime, which is open: this thread's streams still work.
  after_runtime.fill(runtime, random, leak ? Box::End::kRecords : Box::End::kClosed);
  if (random.chance()) std::thread([&] { product(runtime, 3); }).join();
  if (leak && random.chance()) std::exit(3);
  return 3;
}

thread_local Box first_in_thread;   // touched before the library
thread_local Box second_in_thread;  // touched after it; both are destroyed before the thread's leases end

void fill_thread_locals(Runtime& runtime, Random& random, Box::End how) {
  Box& first = first_in_thread;
  expect(!first.tensor.has_value(), "a thread-local object is fresh");
  runtime.query();
  Box& second = second_in_thread;
  first.fill(runtime, random, how);
  second.fill(runtime, random, how);
}

int thread_local_objects(Random& random) {
  std::optional<Runtime> local;
  const bool leak = random.chance();
  Runtime& runtime = leak ? open_for_ever() : local.emplace();
  std::vector<std::thread> threads;
  for (int i = random.between(1, 8); i > 0; --i) {
    threads.emplace_back([&runtime, seed = random.between(0, 1 << 30)] {
      Random own(static_cast<std::uint64_t>(seed));
      fill_thread_locals(runtime, own, Box::End::kRecords);
    });
  }
  // On the exiting thread, thread-local objects are destroyed first; a local runtime is closed by then.
  fill_thread_locals(runtime, random, leak ? Box::End::kRecords : Box::End::kClosed);
  for (std::thread& thread : threads) thread.join();
  expect(product(runtime, 5).item() == product_value(5), "streams of ended threads are reused");
  if (leak && random.chance()) std::exit(3);
  return 3;
}

// Threads that end after their runtime.
int thread_locals_outlive_the_runtime(Random& random) {
  auto runtime = std::make_unique<Runtime>();
  std::atomic<int> filled{0};
  std::atomic<bool> gone{false};
  const int count = random.between(1, 8);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, seed = random.between(0, 1 << 30)] {
      Random own(static_cast<std::uint64_t>(seed));
      Box& box = first_in_thread;
      box.fill(*runtime, own, Box::End::kClosed);
      filled.fetch_add(1);
      while (!gone.load()) own.pause(100);
    });
  }
  while (filled.load() != count) random.pause(100);
  runtime.reset();
  gone.store(true);
  for (std::thread& thread : threads) thread.join();
  return 3;
}

int thread_ends_with_work(Random& random) {
  Runtime& runtime = open_for_ever();
  for (int round = random.between(2, 6); round > 0; --round) {
    const int count = random.between(1, 16);
    std::vector<Tensor> results(static_cast<std::size_t>(count));
    std::vector<std::thread> threads;
    std::atomic<int> told{0};
    for (int i = 0; i < count; ++i) {
      threads.emplace_back([&, i] {
        for (int k = 0; k < 20; ++k) {
          results[static_cast<std::size_t>(i)] = product(runtime, i + 1);
          if (k % 5 == 0) {
            runtime.on_complete([&told, count_too = counting_handler()](const Status& status) {
              expect(status.ok(), "a handler of an ended thread received " + std::string(status.text()));
              count_too(status);
              told.fetch_add(1);
            });
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (int i = 0; i < count; ++i) {
      expect(results[static_cast<std::size_t>(i)].item() == product_value(i + 1), "work of an ended thread is done");
    }
    const Clock::time_point end = Clock::now() + std::chrono::seconds(10);
    while (told.load() != 4 * count && Clock::now() < end) random.pause(100);
    expect(told.load() == 4 * count, "handlers of ended threads run");
  }
  return 3;
}

constexpr Scenario kScenarios[] = {
    {"leaked_runtime", 3, leaked_runtime},
    {"static_runtime", 3, static_runtime},
    {"static_runtime_by_value", 3, static_runtime_by_value},
    {"static_objects", 3, static_objects},
    {"thread_local_objects", 3, thread_local_objects},
    {"thread_locals_outlive_the_runtime", 3, thread_locals_outlive_the_runtime},
    {"thread_ends_with_work", 3, thread_ends_with_work},
};

}  // namespace

std::span<const Scenario> object_scenarios() { return kScenarios; }

}  // namespace heddle::test
