#include <algorithm>
#include <cstdint>

#include "heddle/backends/cpu/kernels/kernels.hpp"

namespace HEDDLE_NS::cpu {

void fill(const CommandView& command, KernelContext&) {
  const auto args = command.args<FillArgs>();
  // As bits, so that a signalling NaN arrives as it was given.
  std::fill_n(static_cast<std::uint32_t*>(args.out), args.count, static_cast<std::uint32_t>(args.value_bits));
}

}  // namespace HEDDLE_NS::cpu
