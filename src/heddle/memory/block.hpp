// A block: one piece of device memory handed to a tensor. Its descriptor lives on the host; device memory is never
// touched.
//
// Thread safety: `references` is atomic; the rest is written by the allocator while nobody refers to the block, and by
// Residency's own rules.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heddle/base/namespace.hpp"
#include "heddle/stream/residency.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

class DeviceMemory;

struct Block {
  void* data = nullptr;
  std::size_t bytes = 0;      // rounded: what the block occupies
  std::size_t requested = 0;  // what was asked for
  DeviceMemory* memory = nullptr;
  sync::Atomic<std::uint32_t> references{0};  // tensors that share it
  bool is_external = false;                   // the memory is the user's: DeviceMemory::adopt
  Residency residency;
  Block* previous_live = nullptr;  // the allocator's list of live blocks
  Block* next_live = nullptr;
};

}  // namespace HEDDLE_NS
