// Shared by the scenarios of process_scenario. Each runs in its own process, whose end is part of it.
//
// A scenario checks its results itself: fail() ends the process immediately with code 1 and a text on stderr.
// after_the_library() registers a check that must hold after the library has handled the end of the process.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"

namespace heddle::test {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A seed varies delays and numbers of threads; the same seed gives the same choices.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  int between(int least, int most) { return std::uniform_int_distribution<int>(least, most)(engine_); }
  bool chance() { return between(0, 1) == 1; }
  void pause(int most_us) { std::this_thread::sleep_for(std::chrono::microseconds(between(0, most_us))); }

 private:
  std::mt19937_64 engine_;
};

struct Scenario {
  const char* name;
  int exit_code;  // required at the end of the process
  int (*run)(Random& random);
};
std::span<const Scenario> exit_scenarios();
std::span<const Scenario> handler_scenarios();
std::span<const Scenario> object_scenarios();
std::span<const Scenario> fork_scenarios();
std::span<const Scenario> signal_scenarios();
std::span<const Scenario> ending_scenarios();
std::span<const Scenario> stuck_scenarios();

[[noreturn]] void fail(const std::string& what);
inline void expect(bool holds, const std::string& what) {
  if (!holds) fail(what);
}
template <class Kind, class Call>
void expect_throws(const char* what, Call&& call) {
  try {
    call();
  } catch (const Kind&) {
    return;
  } catch (const std::exception& error) {
    fail(std::string(what) + " threw something else: " + error.what());
  }
  fail(std::string(what) + " did not throw");
}
[[noreturn]] void sleep_for_ever();

// Runs `check` when the process exits, after the library's own part. Call it before the first Runtime opens.
void after_the_library(void (*check)());

// A runtime that is never destroyed. When the process ends, the books of its handlers must balance.
Runtime& open_for_ever();
// The same, but the books need not balance: the scenario keeps the library from draining.
Runtime& open_for_ever_undrained();

// Recorded, not waited for: a 32x32 product with a known sum. Exact in float.
Tensor product(Core& core, int factor);
inline float product_value(int factor) { return 32768.0f * static_cast<float>(factor); }

// A handler that counts its calls; open_for_ever() compares the count.
CompletionHandler counting_handler();
std::uint64_t handlers_called();

// Records, commits, reads results back and registers handlers, until the runtime is closed or `stop` is set.
void record_until_closed(Runtime& runtime, std::uint64_t seed, const std::atomic<bool>* stop = nullptr);
// The same on `threads` detached threads.
void start_detached(Runtime& runtime, int threads, Random& random);

}  // namespace heddle::test
