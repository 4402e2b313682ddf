// AddressSpace: tracks the used granules of one reserved range of addresses.
//
// Takes the lowest run that fits, so that a program which returns what it took gets the same addresses again. Adjacent
// free runs merge immediately. Works on numbers only. Thread safety: none; guarded by its user's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cuda {

class AddressSpace {
 public:
  AddressSpace(std::uintptr_t base, std::size_t bytes) : free_{{base, bytes}} {}

  // 0 if no run of `bytes` is left.
  std::uintptr_t take(std::size_t bytes) noexcept;
  // If host memory has no room for another run, the addresses are lost.
  void give(std::uintptr_t address, std::size_t bytes) noexcept;

 private:
  std::map<std::uintptr_t, std::size_t> free_;
};

}  // namespace HEDDLE_NS::cuda
