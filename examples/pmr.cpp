// Containers in the runtime's memory: they count against its limit, and freed memory is reused on the same stream.
#include <cstdio>
#include <numeric>
#include <vector>

#include "heddle/heddle.hpp"

int main() {
  heddle::Runtime runtime;
  if (!runtime.device_info().host_accessible) {
    std::puts("skipped: the device has memory of its own");
    return 77;
  }
  heddle::MemoryResource resource(runtime);
  std::pmr::vector<int> numbers(1000, &resource);
  std::iota(numbers.begin(), numbers.end(), 0);
  std::printf("sum %d; %zu bytes live\n", std::accumulate(numbers.begin(), numbers.end(), 0),
              static_cast<std::size_t>(runtime.memory_statistics().live));
  return std::accumulate(numbers.begin(), numbers.end(), 0) == 499'500 ? 0 : 1;
}
