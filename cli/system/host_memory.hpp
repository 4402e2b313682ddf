// What a program does where host memory runs out: one line and exit code 1, wherever that happens.
//
// The library throws bad_alloc, and a program that used only the library could catch it. Ours cannot: the JSON library
// allocates in destructors, and the fibres of heddle-check run code that must not throw; there an exception ends the
// process by a signal. Thread safety: call it once, before other threads start.
#pragma once

#include <unistd.h>

#include <atomic>
#include <new>
#include <string_view>

#include "cli/commands.hpp"

namespace heddle::cli {

// `line` lives as long as the process, and ends with a newline.
inline void end_where_host_memory_runs_out(std::string_view line) {
  static std::string_view told;
  static std::atomic<bool> ending{false};
  told = line;
  std::set_new_handler([] {
    while (ending.exchange(true)) ::pause();  // another thread tells it
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, told.data(), told.size());
    ::_exit(kExitFail);
  });
}

}  // namespace heddle::cli
