// Party: an owner of a priority.
//
// A waiting thread that a timeout or a spurious wake-up may wake is two parties: the thread, and the timer that ends
// its wait. So a strategy's bound covers timeouts and spurious wake-ups as it covers threads (n grows), and a thread of
// high priority does not immediately end each of its own waits.
#pragma once

#include "heddle_check/strategy.hpp"

namespace heddle_check {

using Party = std::uint32_t;
inline constexpr Party kMaxParties = 2 * kMaxThreads;

inline Party party_of(ThreadId thread, const View& view) noexcept {
  return view.next[thread].kind == OperationKind::kWake ? kMaxThreads + thread : thread;
}

}  // namespace heddle_check
