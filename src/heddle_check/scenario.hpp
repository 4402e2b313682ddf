// Scenario: the code that is executed repeatedly, and the events that may happen in it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace heddle_check {

// When a wait with a deadline ends by its deadline.
enum class Timeouts : std::uint8_t {
  kLast,    // only if nothing else can happen ("never", for programs that end)
  kChoice,  // also at any other moment, Limits::timeouts times per execution
  kFirst,   // always immediately
};

// Budgets are per execution. 0: that kind of event does not happen.
struct Limits {
  std::uint32_t points_max = 20'000;  // visible operations; beyond it the execution is a livelock
  Timeouts timeout_mode = Timeouts::kLast;
  std::uint32_t timeouts = 0;  // with kChoice
  std::uint32_t spurious_wakeups = 0;
  std::uint32_t stale_reads = 0;  // 0: all atomics are sequentially consistent
  // The number of a thread's stores, weaker than sequentially consistent, that others may not see yet; a further one
  // waits. 0: all are visible immediately.
  std::uint32_t store_buffer = 0;
  std::uint32_t weak_failures = 0;         // of weak compare-exchange, and of try_lock on a free mutex
  std::uint32_t allocation_failures = 0;   // of device memory
  std::uint32_t host_memory_failures = 0;  // where the code under test claims to survive them
  std::uint32_t thread_failures = 0;       // of the host, to start a thread
  bool unlock_is_visible = false;          // needed for try_lock; multiplies the schedules
  // Readings of the clock are operations, so an exhaustive search need not treat waits with a deadline as dependent on
  // everything.
  bool clock_is_visible = false;
  bool masked_wakeups = true;  // report them; off for code that polls by design
  bool races = true;           // of Cells; needs vector clocks
};

struct StrategySpec {
  std::string name;                 // exhaustive, bounded, walk, pct, pos, surw
  int bound = -1;                   // bounded: most preemptions; pct: depth
  double switch_probability = 0.1;  // walk
  std::uint64_t executions = 0;     // most; 0: no limit (exhaustive, bounded)
};

// The body runs as thread 0 of every execution: it sets up, starts threads, joins them, and states what must hold with
// require(). It must build everything anew: only constants may survive from one execution to the next.
struct Scenario {
  std::string name;  // letters, digits, '_' and '-'
  std::string group = {};
  std::uint32_t threads = 0;  // informational; threads that compete
  std::function<void()> body;
  Limits limits = {};
  std::vector<StrategySpec> strategies = {};
  std::string claim = {};  // one sentence: what a pass shows
};

// The names of the enabled choices: "thread", "timeout", ...
std::vector<std::string> choice_names(const Limits& limits);

}  // namespace heddle_check
