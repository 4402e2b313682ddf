#include "heddle/backends/cuda/pages/address_space.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

namespace HEDDLE_NS::cuda {

// The rest of the run keeps its node, so this needs no host memory.
std::uintptr_t AddressSpace::take(std::size_t bytes) noexcept {
  const auto run = std::find_if(free_.begin(), free_.end(), [&](const auto& free) { return free.second >= bytes; });
  if (run == free_.end()) return 0;
  const auto [address, length] = *run;
  auto node = free_.extract(run);
  if (length == bytes) return address;
  node.key() = address + bytes;
  node.mapped() = length - bytes;
  free_.insert(std::move(node));
  return address;
}

void AddressSpace::give(std::uintptr_t address, std::size_t bytes) noexcept {
  const auto next = free_.lower_bound(address);
  const bool joins_next = next != free_.end() && address + bytes == next->first;
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == address) {
      before->second += bytes;
      if (!joins_next) return;
      before->second += next->second;
      free_.erase(next);
      return;
    }
  }
  if (joins_next) {
    auto node = free_.extract(next);
    node.key() = address;
    node.mapped() += bytes;
    free_.insert(std::move(node));
    return;
  }
  try {
    free_.emplace(address, bytes);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): there are more addresses than memory
    // Lost, as the header says.
  }
}

}  // namespace HEDDLE_NS::cuda
