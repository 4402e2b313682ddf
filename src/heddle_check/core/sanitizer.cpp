#include "heddle_check/core/sanitizer.hpp"

#if defined(HEDDLE_CHECK_TSAN)

#include <utility>

namespace {
bool reported = false;
}

// Judges each execution separately, even a repeated one; heddle-check's exit code reports the outcome.
extern "C" const char* __tsan_default_options() {
  return "suppress_equal_stacks=0:suppress_equal_addresses=0:report_thread_leaks=0:exitcode=0";
}
extern "C" void __tsan_on_report(void*) { reported = true; }

namespace heddle_check::sanitizer {

bool take_report() noexcept { return std::exchange(reported, false); }

}  // namespace heddle_check::sanitizer

#endif
