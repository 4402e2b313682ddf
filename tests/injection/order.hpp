// The preloaded library's order, which names the calls to fail, and its counts.
//
// An order names one function, a number n, and whether only the n-th call fails or that one and all later ones. Calls
// are counted from main(), or, with "armed", from injection_arm(), which the program finds with dlsym().
// injection_disarm() ends counting and failing for good. Everything here runs inside malloc(), so it neither allocates
// nor locks. Thread safety: all functions except take_order() and use_counts(), which run before main().
#pragma once

#include <atomic>
#include <cstddef>

namespace injection {

enum class Call : unsigned char {
  kMalloc,  // calloc, realloc, posix_memalign, aligned_alloc, and so operator new
  kMmap,
  kMunmap,
  kMadvise,
  kMprotect,
  kThread,      // pthread_create
  kMembarrier,  // through syscall()
  kOpen,        // openat, fopen
  kWrite,
  kFsync,
  kRename,
  kFork,
  kPipe,
  kCount
};
inline constexpr std::size_t kCalls = static_cast<std::size_t>(Call::kCount);

// The names that orders use, by Call.
inline constexpr const char* kNames[kCalls] = {"malloc",         "mmap",       "munmap", "madvise", "mprotect",
                                               "pthread_create", "membarrier", "open",   "write",   "fsync",
                                               "rename",         "fork",       "pipe"};

// Shared by a program and the server that started it, which reads the counts after the program ended.
struct Counts {
  std::atomic<long> calls[kCalls];
  std::atomic<long> failed;  // the number of calls that were made to fail
};

// Reads "FUNCTION N once|on start|armed". False: the text is not an order.
bool take_order(const char* text) noexcept;
void use_counts(Counts* counts) noexcept;
void arm_at_main() noexcept;

// Counts this call; true: it must fail.
bool must_fail(Call call) noexcept;

}  // namespace injection
