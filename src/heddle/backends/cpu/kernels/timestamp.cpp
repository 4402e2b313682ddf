#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/sync/clock.hpp"

namespace HEDDLE_NS::cpu {

void timestamp(const CommandView& command, KernelContext&) {
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(sync::now().time_since_epoch());
  *command.args<TimestampArgs>().out = static_cast<std::uint64_t>(since.count());
}

}  // namespace HEDDLE_NS::cpu
