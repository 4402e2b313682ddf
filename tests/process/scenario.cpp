// process_scenario NAME [SEED]: runs one scenario. --list: the names, each with its required exit code.
#include "process/scenario.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

// A hook of LeakSanitizer. Objects kept on purpose, and objects that only threads missing in a forked child refer to,
// would count as leaks.
extern "C" int __lsan_is_turned_off() { return 1; }  // NOLINT: its name

namespace heddle::test {
namespace {

std::atomic<std::uint64_t> called{0};
Runtime* kept = nullptr;
pid_t opened_in = 0;

void check_books() {
  if (kept == nullptr || getpid() != opened_in) return;
  const HandlerStatistics books = kept->handler_statistics();
  expect(books.registered == books.run + books.abandoned + books.pending, "registered = run + abandoned + pending");
  expect(books.pending == 0, std::to_string(books.pending) + " handlers are pending after the drain");
  expect(handlers_called() == books.run + books.abandoned, "each handler is called once");
}

}  // namespace

void fail(const std::string& what) {
  std::fprintf(stderr, "scenario failed: %s\n", what.c_str());
  _exit(1);
}

void sleep_for_ever() {
  while (true) pause();
}

void after_the_library(void (*check)()) {
  std::atexit(check);
  std::at_quick_exit(check);
}

Runtime& open_for_ever_undrained() {
  opened_in = getpid();
  kept = new Runtime;  // NOLINT: never destroyed, which is the point
  return *kept;
}

Runtime& open_for_ever() {
  after_the_library(check_books);
  return open_for_ever_undrained();
}

Tensor product(Core& core, int factor) {
  return sum(matmul(full(core, {32, 32}, static_cast<float>(factor)), full(core, {32, 32}, 1.0f)));
}

CompletionHandler counting_handler() {
  return [](const Status&) { called.fetch_add(1); };
}

std::uint64_t handlers_called() { return called.load(); }

void record_until_closed(Runtime& runtime, std::uint64_t seed, const std::atomic<bool>* stop) {
  Random random(seed);
  try {
    while (stop == nullptr || !stop->load()) {
      const int factor = random.between(1, 16);
      const Tensor result = product(runtime, factor);
      switch (random.between(0, 4)) {
        case 0: runtime.commit(); break;
        case 1: runtime.on_complete(counting_handler()); break;
        case 2: runtime.wait(runtime.record_event()); break;
        case 3: expect(result.item() == product_value(factor), "a result is wrong"); break;
        default: random.pause(200);
      }
    }
  } catch (const Closed&) {
    // The documented end.
  }
}

void start_detached(Runtime& runtime, int threads, Random& random) {
  for (int i = 0; i < threads; ++i) {
    const auto seed = static_cast<std::uint64_t>(random.between(0, 1 << 30));
    std::thread([&runtime, seed] { record_until_closed(runtime, seed); }).detach();
  }
}

}  // namespace heddle::test

int main(int count, char** arguments) {
  using namespace heddle::test;
  const auto groups = {exit_scenarios(),   handler_scenarios(), object_scenarios(), fork_scenarios(),
                       signal_scenarios(), ending_scenarios(),  stuck_scenarios()};
  const char* const name = count > 1 ? arguments[1] : "";
  for (const auto& group : groups) {
    for (const Scenario& scenario : group) {
      if (std::strcmp(name, "--list") == 0) std::printf("%s %d\n", scenario.name, scenario.exit_code);
      if (std::strcmp(name, scenario.name) != 0) continue;
      Random random(count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 0);
      try {
        return scenario.run(random);
      } catch (const std::exception& error) {
        fail(std::string("an exception left the scenario: ") + error.what());
      }
    }
  }
  if (std::strcmp(name, "--list") == 0) return 0;
  std::fprintf(stderr, "usage: process_scenario NAME [SEED], or --list\n");
  return 2;
}
