// Atomic<T>: the interface of std::atomic; every access is a visible operation.
//
// With Limits::stale_reads == 0, all accesses are sequentially consistent in their values. They order other data only
// as far as their memory orders say (a relaxed flag is a race on the Cell that it guards). With a budget, a load may
// return an older store among the last kHistory: any that neither coherence, happens-before, a fence nor sequential
// consistency hides. Read-modify-writes read the newest. Not modeled: load buffering (a load never sees a store that is
// performed later), a modification order that differs from the order of execution, and a failing compare-exchange that
// reads an old value. These three only miss bugs.
//
// With Limits::store_buffer, a store that is not sequentially consistent becomes visible some time after it was made,
// as on x86: in the order of its thread's stores, while the thread continues and reads its own stores. These wait until
// all stores of their thread are visible: read-modify-writes (including failing ones), sequentially consistent stores
// and fences, locking and unlocking, waits on condition variables, the start and the end of a thread. Notifying does
// not wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "heddle_check/core/object.hpp"
#include "heddle_check/unseen.hpp"

namespace heddle_check {

namespace detail {
// The scheduling point. The access itself follows, up to the finish_* call.
void begin_access(ObjectRef& ref, OperationKind kind, Site site) noexcept;
// Puts the store into the calling thread's buffer. False: the store is performed as an operation of its own.
bool buffer_store(ObjectRef& ref, void* target, std::uint32_t bytes, std::uint64_t bits, std::memory_order order,
                  Site site) noexcept;
// The bits that the load returns.
std::uint64_t finish_load(ObjectRef& ref, std::uint64_t newest, std::memory_order order) noexcept;
void finish_store(ObjectRef& ref, std::uint64_t before, std::uint64_t after, std::memory_order order) noexcept;
void finish_update(ObjectRef& ref, std::uint64_t before, std::uint64_t after, std::memory_order order) noexcept;
// A compare-exchange that did not exchange: a load of the newest value.
void finish_failed_update(ObjectRef& ref, std::uint64_t newest, std::memory_order order) noexcept;
bool weak_failure() noexcept;
void destroy_atomic(ObjectRef& ref) noexcept;
void name_atomic(ObjectRef& ref, const char* name) noexcept;

constexpr std::memory_order failure_order(std::memory_order order) noexcept {
  if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
  return order == std::memory_order_release ? std::memory_order_relaxed : order;
}
}  // namespace detail

template <class T>
class Atomic {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  static constexpr std::memory_order kSeqCst = std::memory_order_seq_cst;

 public:
  using value_type = T;

  constexpr Atomic() noexcept = default;
  constexpr Atomic(T value) noexcept : value_(value) {}  // NOLINT: as std::atomic
  ~Atomic() {
    if (ref_.epoch != 0) detail::destroy_atomic(ref_);
  }
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  // For traces; a string literal.
  void set_name(const char* name) noexcept { detail::name_atomic(ref_, name); }

  HEDDLE_CHECK_UNSEEN T load(std::memory_order order = kSeqCst, Site site = Site::current()) const noexcept {
    detail::begin_access(ref_, OperationKind::kLoad, site);
    return from_bits(detail::finish_load(ref_, to_bits(value_), order));
  }
  HEDDLE_CHECK_UNSEEN void store(T desired, std::memory_order order = kSeqCst, Site site = Site::current()) noexcept {
    if (detail::buffer_store(ref_, &value_, sizeof(T), to_bits(desired), order, site)) return;
    detail::begin_access(ref_, OperationKind::kStore, site);
    detail::finish_store(ref_, to_bits(value_), to_bits(desired), order);
    value_ = desired;
  }
  T exchange(T desired, std::memory_order order = kSeqCst, Site site = Site::current()) noexcept {
    return update([desired](T) { return desired; }, order, site);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order success, std::memory_order failure,
                               Site site = Site::current()) noexcept {
    return compare_exchange(expected, desired, success, failure, false, site);
  }
  bool compare_exchange_strong(T& expected, T desired, std::memory_order order = kSeqCst,
                               Site site = Site::current()) noexcept {
    return compare_exchange(expected, desired, order, detail::failure_order(order), false, site);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order success, std::memory_order failure,
                             Site site = Site::current()) noexcept {
    return compare_exchange(expected, desired, success, failure, true, site);
  }
  bool compare_exchange_weak(T& expected, T desired, std::memory_order order = kSeqCst,
                             Site site = Site::current()) noexcept {
    return compare_exchange(expected, desired, order, detail::failure_order(order), true, site);
  }
  // For integers; wraps around.
  T fetch_add(T by, std::memory_order order = kSeqCst, Site site = Site::current()) noexcept {
    return update([by](T old) { return static_cast<T>(old + by); }, order, site);
  }
  T fetch_sub(T by, std::memory_order order = kSeqCst, Site site = Site::current()) noexcept {
    return update([by](T old) { return static_cast<T>(old - by); }, order, site);
  }
  T fetch_or(T bits, std::memory_order order = kSeqCst, Site site = Site::current()) noexcept {
    return update([bits](T old) { return static_cast<T>(old | bits); }, order, site);
  }
  T fetch_and(T bits, std::memory_order order = kSeqCst, Site site = Site::current()) noexcept {
    return update([bits](T old) { return static_cast<T>(old & bits); }, order, site);
  }

 private:
  static std::uint64_t to_bits(T value) noexcept {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
  }
  static T from_bits(std::uint64_t bits) noexcept {
    T value;
    std::memcpy(&value, &bits, sizeof(T));
    return value;
  }
  template <class Change>
  HEDDLE_CHECK_UNSEEN T update(Change change, std::memory_order order, Site site) noexcept {
    detail::begin_access(ref_, OperationKind::kUpdate, site);
    const T before = value_;
    const T after = change(before);
    detail::finish_update(ref_, to_bits(before), to_bits(after), order);
    value_ = after;
    return before;
  }
  HEDDLE_CHECK_UNSEEN bool compare_exchange(T& expected, T desired, std::memory_order success,
                                            std::memory_order failure, bool weak, Site site) noexcept {
    detail::begin_access(ref_, OperationKind::kUpdate, site);
    const T before = value_;
    if (to_bits(before) != to_bits(expected) || (weak && detail::weak_failure())) {
      detail::finish_failed_update(ref_, to_bits(before), failure);
      expected = before;
      return false;
    }
    detail::finish_update(ref_, to_bits(before), to_bits(desired), success);
    value_ = desired;
    return true;
  }

  T value_{};
  mutable ObjectRef ref_;
};

// Like std::atomic_thread_fence.
void thread_fence(std::memory_order order, Site site = Site::current()) noexcept;
// The heavy side of an asymmetric pair (membarrier): a full fence on the caller, then one on every other thread. Under
// a store buffer, each of those comes at its own moment while the threads continue; otherwise all come together. The
// light side on those threads is a compiler barrier, which costs nothing here either.
void fence_all_threads(Site site = Site::current()) noexcept;

}  // namespace heddle_check
