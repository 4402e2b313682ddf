// Many random programs: in parallel, each under a watchdog, each failure with the command that repeats it.
//
// A hanging program ends the process, with a line that names it; so do a crash and a sanitizer's report.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "random/plan.hpp"

namespace heddle::programs {

struct Runs {
  std::string device = "cpu";
  std::uint64_t base = 1;   // the first seed
  std::uint64_t count = 1;  // seeds
  int times = 1;            // per seed
  int jobs = 1;             // programs at a time
  int failures_most = 5;    // the run stops after this many
  Cut cut;
  std::chrono::seconds most{60};  // per program
  std::function<void(std::uint64_t done)> progress;
};

// Calls `failed` with each failure's text, on any thread, one at a time. Returns the number of programs that ran.
std::uint64_t run_programs(const Runs& runs, const std::function<void(const std::string&)>& failed);

}  // namespace heddle::programs
