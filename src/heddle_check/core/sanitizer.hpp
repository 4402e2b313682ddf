// ThreadSanitizer's view, in builds with it (HEDDLE_CHECK_TSAN): lets it see races on plain data between the threads of
// an execution, although all of them are fibers of one thread and switching between them orders nothing.
//
// The engine is not instrumented, and its primitives' values are unseen (unseen.hpp). Instead the primitives declare
// the order that they create: acquire() and release() by object, with the memory order in use. Where the model is finer
// than one clock per object (a stale read, a relaxed store over a released one), this declares too much order, which
// only misses races. Functions of the C library that the engine calls are still instrumented, so LookAway hides them.
// In all other builds everything here is empty.
#pragma once

#include <atomic>

#include "heddle_check/core/operation.hpp"

#if defined(HEDDLE_CHECK_TSAN)
#include <sanitizer/tsan_interface.h>
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
}
#endif

namespace heddle_check::sanitizer {

constexpr bool acquires(std::memory_order order) noexcept {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}
constexpr bool releases(std::memory_order order) noexcept {
  return order == std::memory_order_release || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

#if defined(HEDDLE_CHECK_TSAN)

// Addresses that represent objects; objects beyond the table share one with others.
struct alignas(8) Address {
  char bytes[8];
};
inline Address object_addresses[std::size_t{1} << 16];
inline Address thread_addresses[kMaxThreads];

inline void acquire(ObjectId object) noexcept { __tsan_acquire(&object_addresses[object & 0xFFFF]); }
inline void release(ObjectId object) noexcept { __tsan_release(&object_addresses[object & 0xFFFF]); }
inline void acquire_thread(ThreadId thread) noexcept { __tsan_acquire(&thread_addresses[thread]); }
inline void release_thread(ThreadId thread) noexcept { __tsan_release(&thread_addresses[thread]); }

class LookAway {
 public:
  LookAway() noexcept { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }  // and writes
  ~LookAway() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
  LookAway(const LookAway&) = delete;
  LookAway& operator=(const LookAway&) = delete;
};

// True if ThreadSanitizer has reported anything since the last call.
bool take_report() noexcept;

#else

inline void acquire(ObjectId) noexcept {}
inline void release(ObjectId) noexcept {}
inline void acquire_thread(ThreadId) noexcept {}
inline void release_thread(ThreadId) noexcept {}
struct [[maybe_unused]] LookAway {
  LookAway() noexcept {}
};
constexpr bool take_report() noexcept { return false; }

#endif

// An access to an atomic with this order.
inline void loaded(ObjectId object, std::memory_order order) noexcept {
  if (acquires(order)) acquire(object);
}
inline void stored(ObjectId object, std::memory_order order) noexcept {
  if (releases(order)) release(object);
}
inline void updated(ObjectId object, std::memory_order order) noexcept {
  loaded(object, order);
  stored(object, order);
}

}  // namespace heddle_check::sanitizer
