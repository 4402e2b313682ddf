// The figures of a runtime: its device, its memory, its completion handlers, the commands that it executed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/ticket.hpp"

namespace HEDDLE_NS {

struct DeviceInfo {
  std::string backend = {};            // "cpu", "sim", "cuda"
  std::string name = {};               // the product's name, for people
  std::string kernels = {};            // which kernels are in use, for people: "oneDNN 2.6.3, Highway AVX3"
  unsigned processors = 1;             // cores that execute work
  std::string processors_source = {};  // where that number comes from, for people; empty: the device itself
  unsigned workers = 0;                // threads that run lists which nobody waits for
  std::size_t memory_bytes = 0;        // of the device (CPU: the machine or its cgroup, the lesser); 0: not known
  std::string memory_source = {};      // where that size comes from, for people; empty: the device itself, or nobody
  std::size_t alignment = 256;         // of every block
  std::size_t segment_granule = 4096;  // segments are allocated in multiples of it; a power of two
  bool host_accessible = false;        // the host may read and write device memory that no pending work uses
  bool announces = true;               // Device contract 5; false: tickets are written silently, and somebody must look
  bool executes_on_caller = false;     // a waiting thread runs the work itself, so it must not spin
  bool has_workers = false;            // of those that do: work is done although no thread waits for it
};

// What a device's memory is used for, in bytes.
//
// rounded + cached + pending = reserved while nothing is under way; between threads that allocate and free, each figure
// is of a slightly different moment.
struct MemoryStatistics {
  std::size_t limit = 0;     // the budget's hard limit
  std::size_t reserved = 0;  // obtained from the device; never above limit
  std::size_t reserved_peak = 0;
  std::size_t live = 0;          // bytes asked for by blocks in use
  std::size_t rounded = 0;       // what those blocks occupy
  std::size_t rounded_peak = 0;  // as seen when memory was obtained, and now
  std::size_t cached = 0;        // free: in heaps, in the depot, or on its way to its heap
  std::size_t reclaimable = 0;   // the part of it that is in the depot, ready for any stream
  std::size_t pending = 0;       // freed, but a stream other than its own still uses it
  std::size_t live_blocks = 0;
  std::uint64_t allocations = 0;
  std::uint64_t frees_elsewhere = 0;    // by threads that did not hold the block's stream
  std::uint64_t segments_obtained = 0;  // calls to the device
  std::uint64_t segments_released = 0;
  std::uint64_t out_of_memory = 0;  // allocations that failed
};

struct SlowHandler {
  std::string name = {};
  StreamId stream = {};
  std::chrono::microseconds took{0};
};

// Of the user's handlers. registered = run + abandoned + pending, at every moment.
struct HandlerStatistics {
  std::uint64_t registered = 0;
  std::uint64_t run = 0;                  // with ok or an error
  std::uint64_t abandoned = 0;            // with kAbandoned
  std::uint64_t pending = 0;              // waiting for their ticket or their turn, in an executor, or running
  std::uint64_t failed = 0;               // of run and abandoned: left by an exception
  std::uint64_t slow = 0;                 // of run and abandoned: took longer than Limits::slow_handler
  std::vector<SlowHandler> slowest = {};  // the slowest of those, at most 16, slowest first
};

// Commands of one kind that the device executed since it was opened; skipped ones do not count.
struct KernelCount {
  std::string_view kernel = {};
  std::uint64_t commands = 0;
};

}  // namespace HEDDLE_NS
