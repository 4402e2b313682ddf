// NeedForecast: how much memory a stream needs at once, judged by its last lists, and so how much its heap may own.
// Counts lists and bytes; it knows no memory.
//
// Thread safety: none; a heap's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

class NeedForecast {
 public:
  static constexpr std::uint64_t kWindow = 16;  // lists
  // The recorded peak decays by 1/1024 per window, a half-life of 11,000 lists: if it decayed faster, streams would
  // peak at different times, and the sum of what they own would grow without bound. By 1/16 where the stream seems to
  // need less than a quarter of the peak.
  static constexpr std::size_t kDecayDivisor = 1024;
  static constexpr std::size_t kFastDecayDivisor = 16;
  static constexpr std::size_t kFastBelowDivisor = 4;
  // A heap may own three times the peak before it remakes its empty runs rather than take more.
  static constexpr std::size_t kPeaksAllowed = 3;
  static constexpr std::uint64_t kListsBetweenFlushes = 8;

  // `occupied` bytes are in use at this moment.
  void note(std::size_t occupied) noexcept { peak_ = std::max(peak_, occupied); }
  void begin_list(std::size_t occupied) noexcept {
    note(occupied);
    if (++lists_ < window_end_) return;
    window_end_ = lists_ + kWindow;
    earlier_peak_ -= earlier_peak_ / (peak_ < earlier_peak_ / kFastBelowDivisor ? kFastDecayDivisor : kDecayDivisor);
    earlier_peak_ = std::max(earlier_peak_, std::exchange(peak_, occupied));
  }
  // How much the heap may own: a multiple of what it needed at once, and `slack`.
  std::size_t allowed_bytes(std::size_t occupied, std::size_t slack) const noexcept {
    return kPeaksAllowed * std::max({peak_, earlier_peak_, occupied}) + slack;
  }
  // True at most once every 8 lists.
  bool may_flush_others() noexcept {
    if (lists_ < flush_from_) return false;
    flush_from_ = lists_ + kListsBetweenFlushes;
    return true;
  }

 private:
  std::uint64_t lists_ = 0;
  std::uint64_t window_end_ = 0;
  std::uint64_t flush_from_ = 0;
  std::size_t peak_ = 0;          // of this window, as noted: perhaps less than it was
  std::size_t earlier_peak_ = 0;  // of the windows before, decayed
};

}  // namespace HEDDLE_NS
