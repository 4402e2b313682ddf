// A MemoryResource over a memory of its own, for tests of the allocator. Outlived by both.
#pragma once

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory_resource.hpp"

namespace HEDDLE_NS {

struct MemoryResourceAccess {
  static MemoryResource make(const std::shared_ptr<LanePool>& pool, DeviceMemory& memory) {
    return MemoryResource(pool, memory);
  }
};

}  // namespace HEDDLE_NS
