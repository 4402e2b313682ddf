// AddressRange: one reserved range of the process's addresses, of which the CPU device's segments are parts.
//
// Segments lie side by side, from the lowest address on, so that free memory of several joins into larger pieces. Only
// segments in use can be touched and hold memory. From 2 MiB on they are aligned to 2 MiB and asked for in huge pages.
// Thread safety: all members. Locks: mutex_ (kLeaf), not held while the system is called.
#pragma once

#include <cstddef>
#include <map>

#include "heddle/base/namespace.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cpu {

class AddressRange {
 public:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  // Reserves `bytes` of addresses; where the system refuses them, the range is empty.
  explicit AddressRange(std::size_t bytes) noexcept;
  ~AddressRange();  // REQUIRES: no segment is left
  AddressRange(const AddressRange&) = delete;
  AddressRange& operator=(const AddressRange&) = delete;

  // Memory that can be used, zeroed; null (with errno set) when the range has no room or the system refuses.
  void* allocate(std::size_t bytes);
  void release(void* segment, std::size_t bytes) noexcept;
  bool contains(const void* address) const noexcept {
    return address >= base_ && address < static_cast<const std::byte*>(base_) + bytes_;
  }

 private:
  std::byte* take(std::size_t bytes);
  // Allocates only where no free neighbour is; without host memory the addresses are lost.
  void give(std::byte* base, std::size_t bytes) noexcept;

  std::byte* base_ = nullptr;
  std::size_t bytes_ = 0;
  sync::Mutex mutex_{Rank::kLeaf};
  std::map<std::byte*, std::size_t> free_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cpu
