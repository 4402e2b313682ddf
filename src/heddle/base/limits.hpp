// Every bound of the library in one validated place.
//
// A limit is read from Options or a HEDDLE_* variable, checked once by validate(), and never changes afterwards.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace heddle {

// The most dimensions a tensor may have.
inline constexpr std::size_t kMaxRank = 6;

struct Limits {
  // Streams: stream 0 for the main thread, and worker streams up to `streams` before the pool grows.
  std::uint32_t streams = 32;
  // The pool never holds more than this many worker streams; beyond it, a thread waits for a lease.
  std::uint32_t streams_max = 128;
  // How long a thread waits for a stream before PoolExhausted.
  std::chrono::milliseconds lease_wait_max{30'000};
  // A list is committed automatically once it holds this many commands ...
  std::uint32_t list_commands_max = 512;
  // ... or this many bytes of encoded commands and staged host data.
  std::size_t list_bytes_max = std::size_t{1} << 20;
  // Committed, unfinished lists per stream: at this bound commit() waits, and try_commit() returns false.
  std::uint32_t committed_lists_max = 64;
  // Handlers per stream that wait for their ticket or their turn, or run on the handler thread: at this bound
  // on_complete() waits, and try_on_complete() returns false. An executor bounds its own accepted tasks.
  std::uint32_t handlers_max = 1024;
  // How long on_complete() waits for a handler to end before it throws Timeout.
  std::chrono::milliseconds handler_wait_max{10'000};
  // A completion handler that runs longer than this is counted and named in HandlerStatistics.
  std::chrono::milliseconds slow_handler{10};
  // A waiting thread spins at most this long before it parks.
  std::chrono::microseconds spin_max{20};

  // Throws InvalidArgument naming the first field that is out of range, and the range.
  void validate() const;
};

}  // namespace heddle
