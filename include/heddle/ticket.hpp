// A ticket: a position on one stream's timeline.
//
// The n-th command recorded on a stream has ticket n (from 1); ticket 0 is before everything and always complete. A
// list closes with the ticket of its last command. A ticket is complete once the stream's completed ticket is at or
// above it; completed never decreases, whatever fails. 64 bits do not wrap in the life of a process.
#pragma once

#include <compare>
#include <cstdint>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

struct Ticket {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const Ticket&, const Ticket&) = default;
};

// A stream of one runtime; 0 is the main thread's. Unique within its runtime only.
struct StreamId {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(const StreamId&, const StreamId&) = default;
};

}  // namespace HEDDLE_NS
