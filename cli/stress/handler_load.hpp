// A load of completion handlers: threads register handlers of all kinds until the runtime is shut down under them.
//
// Each handler is one of: one that only notes that it was told; one that throws; one that records, commits and
// registers another handler; one that goes to an executor, which loses some. Every handler has a slip of its own on
// which it notes what it was told, so "exactly once" is looked at one by one and not only in sums. Thread safety: one
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle/heddle.hpp"

namespace heddle::cli {

struct HandlerLoadOptions {
  Options runtime;
  std::uint64_t seed = 0;
  std::uint32_t threads = 32;
  bool lose_one = false;  // the canary's fault: one handler notes nothing
};

struct HandlerLoadResult {
  std::uint64_t registered = 0;
  std::uint64_t run = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t threw = 0;
  std::uint64_t refused = 0;  // registrations that threw, as they must while shutting down
  std::uint64_t sums_checked = 0;
  double shutdown_seconds = 0;
  std::vector<std::string> failures;
};

// One runtime, from its opening to a shutdown after a number of registrations that the seed decides.
HandlerLoadResult run_handler_load(const HandlerLoadOptions& options);

}  // namespace heddle::cli
