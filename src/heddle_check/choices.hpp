// Choices that a scenario, or the code under test, puts to the strategy itself.
#pragma once

#include <cstdint>

#include "heddle_check/strategy.hpp"

namespace heddle_check {

// One of 0 .. options-1; 0 outside an execution. At most 255 options. Not a visible operation.
std::uint32_t choose(ChoiceKind kind, std::uint32_t options);

// True where the allocation that is about to be made shall fail (Limits::allocation_failures). Outside: false.
bool allocation_fails();
// The same for memory of the host (Limits::host_memory_failures), and for the start of a thread
// (Limits::thread_failures).
bool host_memory_fails();
bool thread_fails();

// True on a thread of an execution.
bool in_execution() noexcept;

}  // namespace heddle_check
