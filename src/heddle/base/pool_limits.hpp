// The bounds of a runtime's streams, as the layers below it take them: Limits, and how many streams there are.
//
// Options::streams and Options::streams_max become these (runtime/open_device.hpp). Validated once; never changes.
#pragma once

#include <cstdint>

#include "heddle/limits.hpp"

namespace heddle {

struct PoolLimits : Limits {
  PoolLimits() = default;
  // Not from Limits alone, which would quietly restore the default number of streams.
  PoolLimits(const Limits& limits, std::uint32_t usual, std::uint32_t most)
      : Limits(limits), streams(usual), streams_max(most) {}

  // Stream 0 for the main thread, and worker streams up to `streams` before the pool grows.
  std::uint32_t streams = 32;
  // The pool never holds more than this many worker streams; beyond it, a thread waits for a lease.
  std::uint32_t streams_max = 128;

  // As Limits::validate().
  void validate() const;
};

}  // namespace heddle
