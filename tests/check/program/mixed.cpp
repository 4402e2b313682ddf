// Compiled against the shipped and against the checked headers: each links only with the library of its own build.
#include "heddle/stream/lane_pool.hpp"

int main(int count, char**) {
  if (count == 1) return 0;  // it is linked, but not run
  const heddle::LanePool pool(nullptr, heddle::PoolLimits(), heddle::WaitPolicy::kBlock,
                              heddle::ExhaustionPolicy::kFail);
  return static_cast<int>(pool.lanes());
}
