// LimitShares: how a memory limit is shared among the heaps that exist. Arithmetic only.
#pragma once

#include <algorithm>
#include <cstddef>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

struct LimitShares {
  static constexpr std::size_t kSegmentUsual = std::size_t{2} << 20;
  static constexpr std::size_t kLeast = 4096;
  static constexpr std::size_t kSlackMost = std::size_t{26} << 20;

  std::size_t limit = 0;  // bytes
  std::size_t heaps = 0;

  // The longest run of slots: a share of the limit for each class of each heap, so that a small limit serves many
  // streams.
  std::size_t run_bytes_max() const noexcept {
    return std::clamp(limit / (16 * std::max<std::size_t>(1, heaps)), kLeast, kSegmentUsual);
  }
  // What is taken from the device at once, at least.
  std::size_t segment_bytes() const noexcept { return std::min(kSegmentUsual, std::max(kLeast, limit / 64)); }
  // What a heap may own above a multiple of its needs: room for one run per size class, so that sizes that come and go
  // find theirs.
  std::size_t slack() const noexcept { return std::min(kSlackMost, limit / (8 * std::max<std::size_t>(1, heaps))); }
};

}  // namespace HEDDLE_NS
