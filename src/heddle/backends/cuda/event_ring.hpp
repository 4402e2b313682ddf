// EventRing: the CUDA events of one queue that other streams wait for, recorded on demand and shared.
//
// A wait on a CUDA event refers to the last record before the call, so recording an event again does not disturb
// earlier waits; the ring only avoids recording twice for the same list. Bounded: kMost events per queue, created at
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

  // An event after `ticket` on `stream`. If there is none, records one now, after everything up to `on_stream`.
  // REQUIRES: ticket <= on_stream, and all lists up to `on_stream`, with their ticks, are on the stream.
  Status behind(Ticket ticket, Ticket on_stream, cudaStream_t stream, cudaEvent_t* out);

 private:
  struct Entry {
    cudaEvent_t event = nullptr;
    Ticket covers{};
  };
  const int device_;
  std::array<Entry, kMost> entries_{};
  std::size_t next_ = 0;  // the oldest entry
};

}  // namespace HEDDLE_NS::cuda
