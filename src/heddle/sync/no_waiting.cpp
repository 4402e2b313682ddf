#include "heddle/sync/no_waiting.hpp"

#include <fmt/format.h>

#include "heddle/error.hpp"

namespace HEDDLE_NS::sync {

void NoWaiting::throw_would_block(const char* what) {
  throw WouldBlock(
      fmt::format("{} would wait inside {}, which other threads depend on; do it on a thread of your own (give a "
                  "handler an Executor, or hand an Event over)",
                  what, current().place));
}

}  // namespace HEDDLE_NS::sync
