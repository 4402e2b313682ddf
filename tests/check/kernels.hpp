// Small programs under the checker, and short ways to explore them.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

#include "heddle_check/heddle_check.hpp"
#include "heddle_check/strategies/bounded.hpp"
#include "heddle_check/strategies/exhaustive.hpp"
#include "heddle_check/strategies/random_walk.hpp"

namespace heddle_check {

// Under sanitizers, fiber switches cost hundreds of times more, and comparisons by counting do not concern memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

inline Scenario scenario(std::function<void()> body, Limits limits = {}) {
  Scenario made;
  made.name = "test";
  made.body = std::move(body);
  made.limits = limits;
  return made;
}

inline Result exhaust(const Scenario& of, Exhaustive::Reduction reduction = Exhaustive::Reduction::kSleepSets,
                      Backend backend = Backend::kFibers) {
  Explorer explorer(backend);
  Exhaustive strategy(reduction);
  return explorer.explore(of, strategy, {.executions = 3'000'000});
}

inline Result exhaust(std::function<void()> body, Limits limits = {}) {
  return exhaust(scenario(std::move(body), limits));
}

// `threads` threads that each run `body(thread)`.
template <class Body>
void at_once(int threads, Body body) {
  std::vector<Thread> running;
  running.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) running.emplace_back(fmt::format("t{}", i), [body, i] { body(i); });
  for (Thread& thread : running) thread.join();
}

inline void expect_failure(const Result& result, FailureKind kind) {
  EXPECT_EQ(result.failure.kind, kind) << name_of(result.failure.kind) << ": " << result.failure.text;
  EXPECT_FALSE(result.trace.empty());
}
inline void expect_pass(const Result& result) {
  EXPECT_FALSE(result.failed()) << name_of(result.failure.kind) << ": " << result.failure.text << "\n" << result.trace;
  EXPECT_TRUE(result.exhausted);
}

}  // namespace heddle_check
