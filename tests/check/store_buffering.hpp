// Dekker's kernel, the standard example of memory models: two threads each store their own flag and load the other's.
#pragma once

#include <atomic>
#include <functional>
#include <set>
#include <utility>

#include "heddle_check/heddle_check.hpp"

namespace heddle_check {

inline constexpr auto relaxed = std::memory_order_relaxed;
inline constexpr auto acquire = std::memory_order_acquire;
inline constexpr auto release = std::memory_order_release;
inline constexpr auto seq_cst = std::memory_order_seq_cst;

// The values that the two loads returned.
using Outcomes = std::set<std::pair<int, int>>;
inline const Outcomes kAllFour{{0, 0}, {0, 1}, {1, 0}, {1, 1}};
inline const Outcomes kNotBothOld{{0, 1}, {1, 0}, {1, 1}};

// The operation of a thread between its store and its load.
using Between = std::function<void()>;
inline const Between nothing = [] {};
inline const Between full_fence = [] { thread_fence(seq_cst); };
inline const Between heavy = [] { fence_all_threads(); };

// One execution; notes the values read. `outcomes` must outlive the returned function.
inline std::function<void()> store_buffering_kernel(Outcomes& outcomes, std::memory_order store, std::memory_order load,
                                                    const Between& between0, const Between& between1) {
  return [=, &outcomes] {
    Atomic<int> x{0}, y{0};
    int r0 = -1, r1 = -1;
    run_together({{"t0",
                   [&] {
                     x.store(1, store);
                     between0();
                     r0 = y.load(load);
                   }},
                  {"t1", [&] {
                     y.store(1, store);
                     between1();
                     r1 = x.load(load);
                   }}});
    outcomes.emplace(r0, r1);
  };
}

}  // namespace heddle_check
