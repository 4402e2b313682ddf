// AddressSpace: which granules of one reserved range of addresses are taken.
//
// The lowest run that fits is given, so that a program which gives back what it took gets the same addresses again, and
// neighbouring free runs join at once. Works on numbers only. Thread safety: none; guarded by its user's mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::cuda {

class AddressSpace {
 public:
  AddressSpace(std::uintptr_t base, std::size_t bytes) : free_{{base, bytes}} {}

  // 0 where no run of `bytes` is left.
  std::uintptr_t take(std::size_t bytes) noexcept;
  // Where host memory has no room for another run, the addresses are lost.
  void give(std::uintptr_t address, std::size_t bytes) noexcept;

 private:
  std::map<std::uintptr_t, std::size_t> free_;
};

}  // namespace HEDDLE_NS::cuda
