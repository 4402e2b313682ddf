// AddressRange: one reserved range of the process's addresses that contains the CPU device's segments.
//
// Segments lie side by side from the lowest address on, so that their free memory joins into larger pieces. From 2 MiB
// on they are aligned to 2 MiB and request huge pages.
//
// Thread safety: all members. Locks: mutex_ (kLeaf), not held during system calls.
// Invariants: 1. An address of the range is in free_ or in used_. 2. Releasing needs neither host memory nor another
// mapping of the process: pages are discarded in place, and the node of used_ becomes one of free_. 3. Free addresses
// hold no memory. They are also inaccessible, unless the system refused to take the access away; allocate() handles
// both. 4. Addresses that the system may have unmapped while refusing a call stay in used_: they are neither handed out
// again nor unmapped, because another mapping of the process may lie there by now.
#pragma once

#include <cstddef>
#include <map>

#include "heddle/detail/namespace.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cpu {

class AddressRange {
 public:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;

  // Reserves `bytes` of addresses; if the system refuses, the range is empty.
  explicit AddressRange(std::size_t bytes) noexcept;
  // REQUIRES: no segment is left. If the system refuses to unmap the range, its addresses stay reserved, without
  // memory.
  ~AddressRange();
  AddressRange(const AddressRange&) = delete;
  AddressRange& operator=(const AddressRange&) = delete;

  // Usable memory; null (with errno set) if the range has no room or the system refuses. It reads as zeros, unless the
  // system refused to discard earlier contents. Throws bad_alloc, having changed nothing.
  void* allocate(std::size_t bytes);
  // Gives the memory back. If the system refuses every way to do that, the next segment there uses it.
  void release(void* segment, std::size_t bytes) noexcept;
  bool contains(const void* address) const noexcept {
    return address >= base_ && address < static_cast<const std::byte*>(base_) + bytes_;
  }

 private:
  using Spans = std::map<std::byte*, std::size_t>;

  std::byte* take(std::size_t bytes);
  void give(std::byte* segment) noexcept;

  std::byte* base_ = nullptr;
  std::size_t bytes_ = 0;
  sync::Mutex mutex_{Rank::kLeaf};
  Spans free_ HEDDLE_GUARDED_BY(mutex_);
  Spans used_ HEDDLE_GUARDED_BY(mutex_);
};

// Discards the memory of whole pages and leaves them mapped: they read as zeros at the next access. Needs no new
// mapping, so it works when the process can have no more. False if the system refuses.
bool discard_pages(void* pages, std::size_t bytes) noexcept;

}  // namespace HEDDLE_NS::cpu
