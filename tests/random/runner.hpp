// Many random programs: side by side, each under a watchdog, each failure with the command that repeats it.
//
// A program that hangs ends the process, with a line that names it; so do a crash and a sanitizer's report.
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
  int times = 1;            // of each seed
  int jobs = 1;             // programs at a time
  int failures_most = 5;    // stops after so many
  Cut cut;
  std::chrono::seconds most{60};  // of one program
  std::function<void(std::uint64_t done)> progress;
};

// Calls `failed` with each failure's text, in any thread, one at a time. Returns the number of programs that ran.
std::uint64_t run_programs(const Runs& runs, const std::function<void(const std::string&)>& failed);

}  // namespace heddle::programs
