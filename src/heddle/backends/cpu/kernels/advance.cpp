#include "heddle/backends/cpu/kernels/kernels.hpp"

namespace HEDDLE_NS::cpu {

void advance(const CommandView& command, KernelContext&) {
  const auto args = command.args<AdvanceArgs>();
  args.state->block += args.blocks;
}

}  // namespace HEDDLE_NS::cpu
