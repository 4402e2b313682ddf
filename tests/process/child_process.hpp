// Starts a program and waits for its end, at most so long.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace heddle::test {

struct Ended {
  int exit_code = -1;  // 128 + signal for a process that died by one
  bool timed_out = false;
  std::string output;  // stdout and stderr together
};

// Kills the process when `most` is over.
Ended run_process(const std::vector<std::string>& command, std::chrono::seconds most);

}  // namespace heddle::test
