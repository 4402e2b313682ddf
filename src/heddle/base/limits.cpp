#include "heddle/limits.hpp"

#include <fmt/format.h>

#include "heddle/base/pool_limits.hpp"
#include "heddle/error.hpp"

namespace heddle {
namespace {

void require_range(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high) {
    throw InvalidArgument(fmt::format("limit {} is {}; allowed: {} to {}", name, value, low, high));
  }
}

}  // namespace

void Limits::validate() const {
  require_range("lease_wait_max (ms)", lease_wait_max.count(), 0, 86'400'000);
  require_range("list_commands_max", list_commands_max, 1, 1 << 20);
  require_range("list_bytes_max", static_cast<std::int64_t>(list_bytes_max), 4096, std::int64_t{1} << 32);
  require_range("committed_lists_max", committed_lists_max, 1, 4096);
  require_range("handlers_max", handlers_max, 1, 1 << 20);
  require_range("handler_wait_max (ms)", handler_wait_max.count(), 0, 86'400'000);
  require_range("slow_handler (ms)", slow_handler.count(), 0, 86'400'000);
  require_range("spin_max (us)", spin_max.count(), 0, 1000);
}

void PoolLimits::validate() const {
  require_range("streams", streams, 1, 4096);
  require_range("streams_max", streams_max, streams, 4096);
  Limits::validate();
}

}  // namespace heddle
