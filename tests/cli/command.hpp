// Runs the command line as a user would and collects its output.
#pragma once

#include <sys/types.h>

#include <string>

namespace heddle::test {

struct CommandResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Runs `heddle ARGUMENTS` in a shell. `environment` is prepended, as in "HEDDLE_STREAMS=2" or "HEDDLE_STREAMS=2 timeout
// -s KILL 1". Any thread.
CommandResult run_heddle(const std::string& arguments, const std::string& environment = "");

// True if the process exists and has not ended (a zombie does not run).
bool process_runs(pid_t process);

}  // namespace heddle::test
