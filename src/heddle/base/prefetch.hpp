// Prefetches a cache line that will be written soon.
//
// For lines that another processor wrote last: a prefetch for writing transfers such a line once instead of twice (to
// read it, then to own it). Never faults, changes nothing.
#pragma once

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

inline void prefetch_for_write(const void* address) noexcept {
#if defined(__x86_64__)
  // __builtin_prefetch(address, 1) compiles to a prefetch for reading on the common subset of these processors.
  asm("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace HEDDLE_NS
