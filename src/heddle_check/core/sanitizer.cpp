#include "heddle_check/core/sanitizer.hpp"

#if defined(HEDDLE_CHECK_TSAN)

#include <utility>

namespace {
bool reported = false;
}

// Each execution is judged by itself, also one that repeats another; heddle-check's exit code says what came of it.
extern "C" const char* __tsan_default_options() {
  return "suppress_equal_stacks=0:suppress_equal_addresses=0:report_thread_leaks=0:exitcode=0";
}
extern "C" void __tsan_on_report(void*) { reported = true; }

namespace heddle_check::sanitizer {

bool take_report() noexcept { return std::exchange(reported, false); }

}  // namespace heddle_check::sanitizer

#endif
