#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/sync/lock_checks.hpp"
#include "heddle/sync/no_waiting.hpp"

namespace HEDDLE_NS::cpu {

// The one kernel that may throw: the list fails with what the user's function threw.
void custom(const CommandView& command, KernelContext&) {
  sync::assert_no_locks_held("a custom operation");
  const sync::NoWaiting no_waiting("a custom operation", sync::NoWaiting::Also::kNoRecording);
  command.args<CustomArgs>().command->run(nullptr);
}

}  // namespace HEDDLE_NS::cpu
