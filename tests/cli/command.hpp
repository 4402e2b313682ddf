// Runs the command line as a user would and collects what it says.
#pragma once

#include <string>

namespace heddle::test {

struct CommandResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// Runs `heddle ARGUMENTS` in a shell. `environment`: assignments in front of it, as in "HEDDLE_STREAMS=2".
CommandResult run_heddle(const std::string& arguments, const std::string& environment = "");

}  // namespace heddle::test
