// The rungs that an allocation climbs when nothing is free, and what each has yielded so far.
//
// After each rung from kOwnRuns on the whole search is repeated. To come: callbacks and pressure sources, between
// kDeviceWait and kWait; what runs users' code stands outside the single flight. Thread safety: all members.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

enum class Rung : std::uint8_t {
  kOwn,         // own inbox, own pending blocks, own spans; empty runs, where the heap would own too much
  kDepot,       // what other streams surrendered and is ready
  kGrow,        // a new segment from the device
  kOwnRuns,     // own empty runs become spans again
  kOthers,      // outboxes are emptied, idle heaps surrender what they do not use
  kGiveBack,    // idle segments go back to the device, so that it can give one that fits
  kDeviceWait,  // what another stream has freed but not finished with, behind a wait on the device
  kWait,        // for streams to finish
  kCount,
};

class LadderCounts {
 public:
  void tried(Rung rung) noexcept { counts_[index(rung)].tried.fetch_add(1, sync::relaxed); }
  void yielded(Rung rung) noexcept { counts_[index(rung)].yielded.fetch_add(1, sync::release); }
  // "depot 3 of 40, new segments 12 of 37": yielded of tried, for rungs that were ever tried.
  std::string text() const;

 private:
  struct Count {
    sync::Atomic<std::uint64_t> tried{0}, yielded{0};
  };
  static std::size_t index(Rung rung) noexcept { return static_cast<std::size_t>(rung); }
  std::array<Count, static_cast<std::size_t>(Rung::kCount)> counts_;
};

}  // namespace HEDDLE_NS
