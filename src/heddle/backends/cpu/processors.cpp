#include "heddle/backends/cpu/processors.hpp"

#include "heddle/backends/cpu/cgroups.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS::cpu {

Processors read_processors(const std::string& root) {
  const unsigned allowed = sync::available_processors();
  const auto quota = cgroup_processor_limit(root);
  if (quota && quota->value < allowed) return {quota->value, quota->source};
  return {allowed, "affinity"};
}

}  // namespace HEDDLE_NS::cpu
