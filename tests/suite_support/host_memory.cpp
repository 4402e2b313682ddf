// The operators of the whole program, which fail where a test says so (faults/failing_memory.hpp). A sanitizer has its
// own.
#ifndef HEDDLE_SANITIZED

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "faults/failing_memory.hpp"

namespace {

void* allocate(std::size_t bytes, std::size_t alignment) {
  heddle::test::fail_if_due();
  void* memory = nullptr;
  if (posix_memalign(&memory, std::max(alignment, sizeof(void*)), bytes) != 0) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

#endif
