// Compiled against the shipped and against the checked headers: links with the library of its own build only.
#include "heddle/stream/lane_pool.hpp"

int main(int count, char**) {
  if (count == 1) return 0;  // it is linked, not run
  const heddle::LanePool pool(nullptr, heddle::PoolLimits(), heddle::WaitPolicy::kBlock,
                              heddle::ExhaustionPolicy::kFail);
  return static_cast<int>(pool.lanes());
}
