// base/check.cpp in the checked build: a failed check fails the execution, which can then be replayed.
#include "heddle/base/check.hpp"

#include <fmt/format.h>

#include "heddle_check/failure.hpp"

namespace heddle {

void check_failed(const char* condition, const char* message, const char* file, int line) noexcept {
  heddle_check::fail(heddle_check::FailureKind::kCheck,
                     fmt::format("{} ({}) at {}:{}", message, condition, file, line));
}

void end_process(const char* message) noexcept { heddle_check::fail(heddle_check::FailureKind::kCheck, message); }

}  // namespace heddle
