// Starts a program and waits for its end, up to a limit.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace heddle::test {

struct Ended {
  int exit_code = -1;  // 128 + signal for a process that a signal killed
  bool timed_out = false;
  std::string output;  // stdout and stderr together
};

// Kills the process after `most`.
Ended run_process(const std::vector<std::string>& command, std::chrono::seconds most);

}  // namespace heddle::test
