#include "heddle/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace heddle {

void check_failed(const char* condition, const char* message, const char* file, int line) noexcept {
  std::fprintf(stderr, "heddle: internal error: %s (%s) at %s:%d\n", message, condition, file, line);
  std::abort();
}

void end_process(const char* message) noexcept {
  std::fprintf(stderr, "heddle: %s\n", message);
  std::abort();
}

}  // namespace heddle
