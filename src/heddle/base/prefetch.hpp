// Asking the processor for a line of memory that will be written soon.
//
// For lines that another processor wrote last: fetched for writing, they come over once instead of twice (to be read,
// then to be written). Never faults, changes nothing.
#pragma once

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

inline void prefetch_for_write(const void* address) noexcept {
#if defined(__x86_64__)
  // Not __builtin_prefetch(address, 1): for the common subset of these processors that is a prefetch for reading.
  asm("prefetchw %0" : : "m"(*static_cast<const char*>(address)));
#else
  __builtin_prefetch(address, 1);
#endif
}

}  // namespace HEDDLE_NS
