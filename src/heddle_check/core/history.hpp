// The stores of an atomic that a load may still return, under stale reads.
//
// Stores are numbered in the order of execution, which is also their modification order. Four floors exclude older
// stores from a load: what the thread has read or written of this atomic before (coherence), the newest store that it
// knows of (happens-before and fences), the newest sequentially consistent store (for sequentially consistent loads),
// and the length of the history.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "heddle_check/core/vector_clock.hpp"

namespace heddle_check {

struct Store {
  std::uint64_t bits = 0;
  ThreadId thread = kNoThread;  // kNoThread: the initial value, known to every thread
  std::uint32_t time = 0;       // of `thread`
  Knowledge released;           // what an acquiring load learns
};

class History {
 public:
  static constexpr std::uint32_t kLength = 8;

  void begin(std::uint64_t initial) noexcept;
  Store& newest() noexcept { return at(count_ - 1); }
  // Makes room for the next store.
  Store& add(ThreadId thread, bool sequential) noexcept;
  // The number of stores, from the newest back, that `thread` may read.
  std::uint32_t readable(ThreadId thread, const VectorClock& view, bool sequential) const noexcept;
  // The store `back` before the newest; `thread` never reads an older one again.
  const Store& read(ThreadId thread, std::uint32_t back) noexcept;

 private:
  Store& at(std::uint32_t number) noexcept { return stores_[number % kLength]; }
  const Store& at(std::uint32_t number) const noexcept { return stores_[number % kLength]; }

  std::array<Store, kLength> stores_{};
  std::array<std::uint32_t, kMaxThreads> seen_{};  // by thread: number of the oldest store it may read
  std::uint32_t count_ = 0;
  std::uint32_t sequential_ = 0;  // number of the newest sequentially consistent store
};

class Histories {
 public:
  void begin() noexcept { used_ = 0; }
  // The number of a new history, from 1.
  std::uint32_t add(std::uint64_t initial);
  History& operator[](std::uint32_t number) noexcept { return *pool_[number - 1]; }

 private:
  std::vector<std::unique_ptr<History>> pool_;
  std::uint32_t used_ = 0;
};

}  // namespace heddle_check
