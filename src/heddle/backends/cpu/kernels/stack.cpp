#include <cstring>

#include "heddle/backends/cpu/kernels/kernels.hpp"

namespace HEDDLE_NS::cpu {

void stack(const CommandView& command, KernelContext&) {
  const auto args = command.args<StackArgs>();
  auto* out = static_cast<std::byte*>(args.out);
  for (std::uint64_t i = 0; i < args.count; ++i) std::memcpy(out + i * args.bytes, args.in[i], args.bytes);
}

}  // namespace HEDDLE_NS::cpu
