#include "heddle/backends/cuda/pages/address_space.hpp"

#include <algorithm>
#include <iterator>

namespace HEDDLE_NS::cuda {

std::uintptr_t AddressSpace::take(std::size_t bytes) {
  const auto run = std::find_if(free_.begin(), free_.end(), [&](const auto& free) { return free.second >= bytes; });
  if (run == free_.end()) return 0;
  const auto [address, length] = *run;
  free_.erase(run);
  if (length > bytes) free_.emplace(address + bytes, length - bytes);
  return address;
}

void AddressSpace::give(std::uintptr_t address, std::size_t bytes) {
  auto next = free_.lower_bound(address);
  if (next != free_.end() && address + bytes == next->first) {
    bytes += next->second;
    next = free_.erase(next);
  }
  if (next != free_.begin()) {
    const auto before = std::prev(next);
    if (before->first + before->second == address) {
      before->second += bytes;
      return;
    }
  }
  free_.emplace(address, bytes);
}

}  // namespace HEDDLE_NS::cuda
