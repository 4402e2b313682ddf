// The bounds of the library, and the choices that a runtime is opened with. Options has one of each.
//
// A bound is checked once, when a runtime opens, and never changes afterwards.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"

namespace heddle {

// The most dimensions a tensor may have.
inline constexpr std::size_t kMaxRank = 6;

struct HEDDLE_API Limits {
  // How long a thread waits for a stream before PoolExhausted.
  std::chrono::milliseconds lease_wait_max{30'000};
  // A list is committed by itself once it holds this many commands ...
  std::uint32_t list_commands_max = 512;
  // ... or this many bytes of encoded commands and staged host data.
  std::size_t list_bytes_max = std::size_t{1} << 20;
  // Committed, unfinished lists of one stream: commit() waits beyond it, try_commit() returns false.
  std::uint32_t committed_lists_max = 64;
  // Handlers of one stream that wait for their ticket or their turn, or run on the handler thread: beyond it
  // on_complete() waits, and try_on_complete() returns false. An executor bounds the tasks that it accepted itself.
  std::uint32_t handlers_max = 1024;
  // How long on_complete() waits for one of them to end before Timeout.
  std::chrono::milliseconds handler_wait_max{10'000};
  // A completion handler that runs longer than this is counted and named in HandlerStatistics.
  std::chrono::milliseconds slow_handler{10};
  // A waiting thread spins at most this long before it parks.
  std::chrono::microseconds spin_max{20};

  // Throws InvalidArgument naming the first field that is out of range, and the range.
  void validate() const;
};

// How a thread waits for a ticket of a device that has processors of its own.
enum class WaitPolicy : unsigned char {
  kSpin,      // never parks
  kAdaptive,  // spins for Limits::spin_max, then parks
  kBlock,     // parks at once
};

// What a thread does when no stream is free and no idle implicit lease can be revoked.
enum class ExhaustionPolicy : unsigned char {
  kGrowThenWait,  // the pool grows to Options::streams_max; then as kWait
  kWait,          // waits, Limits::lease_wait_max at most
  kFail,          // PoolExhausted at once; but waits as kWait while a stream that was given back still runs
};

enum class CpuKernels : unsigned char {
  kBest,      // oneDNN where it is built in, otherwise portable
  kPortable,  // portable C++ only: the reference, and what sanitizers can see into
};

// How float32 products are computed.
enum class CudaMatmul : unsigned char {
  kFull,  // in float32 throughout
  kTf32,  // operands rounded to 10 bits of fraction, on the tensor cores
};

// Where segments of device memory come from.
enum class CudaPages : unsigned char {
  kVirtual,  // address space reserved once, memory mapped into it: giving memory back stalls no stream
  kPool,     // the driver's stream-ordered pool
  kPlain,    // cudaMalloc; giving memory back waits for the whole device
};

}  // namespace heddle
