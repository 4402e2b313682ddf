// EventRing: what other streams wait for, of one queue: CUDA events, recorded when somebody asks, and shared.
//
// A wait on a CUDA event means what the event recorded before the call, so one that is recorded again does not disturb
// waits already made; the ring only saves recording twice for the same list. Bounded: kMost events a queue, made at
// first use. Thread safety: none; guarded by its user's mutex.
#pragma once

#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS::cuda {

class EventRing {
 public:
  static constexpr std::size_t kMost = 8;

  explicit EventRing(int device) noexcept : device_(device) {}
  ~EventRing();
  EventRing(const EventRing&) = delete;
  EventRing& operator=(const EventRing&) = delete;

  // An event behind `ticket` of `stream`. Recorded now where none is: everything up to `on_stream` is then behind it.
  // REQUIRES: ticket <= on_stream, and all lists up to `on_stream`, with their ends, are on the stream.
  Status behind(Ticket ticket, Ticket on_stream, cudaStream_t stream, cudaEvent_t* out);

 private:
  struct Entry {
    cudaEvent_t event = nullptr;
    Ticket covers{};
  };
  const int device_;
  std::array<Entry, kMost> entries_{};
  std::size_t next_ = 0;  // the oldest
};

}  // namespace HEDDLE_NS::cuda
