// Host memory that runs out: the n-th allocation of a call fails, alone or with all later ones.
//
// Linked into a program whose operator new calls fail_if_due() (host_memory_test.cpp).
#pragma once

#include <cstddef>
#include <functional>
#include <new>

#include "heddle/error.hpp"

namespace heddle::test {

inline thread_local std::size_t fails_in = 0;  // on the calling thread: the allocation that fails; 0: none
inline bool for_ever = false;                  // all later ones fail too; set before threads start
inline thread_local bool has_failed = false;

inline void fail_if_due() {
  if (fails_in == 0 || --fails_in != 0) return;
  has_failed = true;
  if (for_ever) fails_in = 1;
  throw std::bad_alloc();
}

// Calls `call` with its n-th allocation failing. True if that allocation was reached.
inline bool fails_at(std::size_t n, const std::function<void()>& call) {
  has_failed = false;
  fails_in = n;
  try {
    call();
  } catch (const std::bad_alloc&) {
  } catch (const OutOfMemory&) {
  } catch (...) {
    fails_in = 0;
    throw;
  }
  fails_in = 0;
  return has_failed;
}

}  // namespace heddle::test
