// What was done, what was not, and what is left when a runtime has shut down, or is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

struct HEDDLE_API ShutdownReport {
  bool complete = false;  // everything ended within the deadline; false: see abandoned, handlers_pending, bytes_kept

  // Commands since the runtime was opened.
  std::uint64_t completed = 0;  // failed ones included
  std::uint64_t failed = 0;     // closed with an error
  std::uint64_t abandoned = 0;  // recorded, but not complete at the deadline

  std::uint64_t handlers_run = 0;
  std::uint64_t handlers_abandoned = 0;  // told kAbandoned
  std::uint64_t handlers_pending = 0;    // have not returned, wait behind one that did not, or in a user's executor

  std::string busy;  // leases that were inside an operation at the deadline, by stream and thread; empty if none

  // Blocks that tensors still refer to. Their memory stays until the last tensor is gone.
  std::size_t leaked_blocks = 0;
  std::size_t leaked_bytes = 0;
  // Bytes, largest first, at most 64; without those of streams that were busy at the deadline.
  std::vector<std::size_t> leaked_sizes;
  std::size_t bytes_kept = 0;  // reserved memory that is kept for ever, because the device may still use it

  // A few lines for people.
  std::string text() const;
};

// Of the process: runtimes whose Runtime object is gone, but which have not ended. Nobody was given their report.
struct RuntimesLeft {
  std::size_t ending = 0;  // a thread of the library is at it, or waits for the system to start one
  std::size_t kept = 0;    // work or a handler did not end by the deadline: kept for the life of the process, with ...
  std::size_t bytes_kept = 0;  // ... so much of their devices' memory
};

}  // namespace HEDDLE_NS
