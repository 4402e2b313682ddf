// Choices that a scenario, or the code under test, asks of the strategy directly.
#pragma once

#include <cstdint>

#include "heddle_check/strategy.hpp"

namespace heddle_check {

// One of 0 .. options-1; 0 outside an execution. At most 255 options. Not a visible operation.
std::uint32_t choose(ChoiceKind kind, std::uint32_t options);

// True if the next allocation must fail (Limits::allocation_failures). False outside an execution.
bool allocation_fails();
// The same for host memory (Limits::host_memory_failures), and for the start of a thread (Limits::thread_failures).
bool host_memory_fails();
bool thread_fails();

// True on a thread of an execution.
bool in_execution() noexcept;

}  // namespace heddle_check
