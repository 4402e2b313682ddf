// Internal consistency checks. A failed check is a bug in heddle, never a user's mistake: it prints one line and
// aborts. HEDDLE_CHECK is always on; HEDDLE_DCHECK only where HEDDLE_DEBUG_CHECKS is 1 (presets dev, asan, tsan;
// checked build).
#pragma once

#ifndef HEDDLE_DEBUG_CHECKS
#define HEDDLE_DEBUG_CHECKS 0
#endif

namespace heddle {

[[noreturn]] void check_failed(const char* condition, const char* message, const char* file, int line) noexcept;

// If the system withdraws a service that running work relies on, and no error can be returned: prints one line and
// aborts.
[[noreturn]] void end_process(const char* message) noexcept;

}  // namespace heddle

#define HEDDLE_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0) : ::heddle::check_failed(#condition, message, __FILE__, __LINE__))

#if HEDDLE_DEBUG_CHECKS
#define HEDDLE_DCHECK(condition, message) HEDDLE_CHECK(condition, message)
#else
#define HEDDLE_DCHECK(condition, message) static_cast<void>(0)
#endif
