// A call whose allocations fail in turn (faults/failing_memory.hpp), for the conformance suites.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>

#include "faults/failing_memory.hpp"

namespace heddle::suite {

// Calls `call` with its n-th allocation failing, for n = 1, 2, ... until it needs no more; `check` after each, with
// true where the call threw. Once for the n-th alone, once for it and all after it.
template <class Call, class Check>
void with_failing_memory(const Call& call, const Check& check) {
  constexpr std::size_t kMost = 200;
  for (const bool for_ever : {false, true}) {
    test::for_ever = for_ever;
    bool failed = true;
    for (std::size_t n = 1; failed; ++n) {
      ASSERT_LT(n, kMost);
      bool threw = false;
      failed = test::fails_at(n, [&] {
        try {
          call();
        } catch (...) {
          threw = true;
          throw;
        }
      });
      check(threw);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  test::for_ever = false;
}

}  // namespace heddle::suite
