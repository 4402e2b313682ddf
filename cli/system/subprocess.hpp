// Runs another program and collects what it says, so that its crash or its hang is a result like any other.
//
// The program is the leader of a process group of its own, which is killed whole at its end or when its time is over;
// it dies with the thread that started it, so a killed verifier leaves nothing behind. Its standard input is empty. No
// shell is involved: arguments are handed over as they are.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::cli {

inline constexpr std::size_t kOutMost = std::size_t{64} << 20;  // bytes of output

struct ProcessResult {
  int exit_code = 0;
  int signal = 0;  // that ended it; 0: it exited
  bool timed_out = false;
  bool flooded = false;    // it printed more than kOutMost, and was killed for it
  std::string out;         // what it printed
  std::string error_tail;  // the end of what it printed on stderr
  double seconds = 0;

  // "exit code 1", "signal 11 (Segmentation fault)", "killed: no end within 60 s"
  std::string ended() const;
};

// `command`: the program's path, then its arguments. `on_line`: told each line of its output as it comes.
// `environment`: NAME=VALUE, beside or in the place of what this process has. Throws Error when it cannot be started;
// what `on_line` throws ends the program and is thrown on.
ProcessResult run_process(const std::vector<std::string>& command, std::chrono::duration<double> most,
                          const std::function<void(std::string_view)>& on_line = {},
                          const std::vector<std::string>& environment = {});

}  // namespace heddle::cli
