// How the library makes a Stream.
#pragma once

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/stream.hpp"

namespace HEDDLE_NS {

struct StreamAccess {
  // The calling thread's of that pool, which outlives it.
  static Stream of_this_thread(const std::shared_ptr<LanePool>& pool) noexcept { return Stream(pool); }
};

}  // namespace HEDDLE_NS
