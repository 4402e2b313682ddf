#include "heddle/sync/clock.hpp"

#include <thread>

namespace HEDDLE_NS::sync {

void sleep_for(Duration duration) { std::this_thread::sleep_for(duration); }

}  // namespace HEDDLE_NS::sync
