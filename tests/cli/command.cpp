#include "cli/command.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace heddle::test {
namespace {

// The program under test: from the build, or HEDDLE_CLI (which is removed from the command's own environment, where it
// is unknown).
std::string program() {
  if (const char* path = std::getenv("HEDDLE_CLI")) return path;
  return HEDDLE_CLI_PATH;
}

std::string take(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  stream.close();
  std::filesystem::remove(file);
  return text;
}

}  // namespace

CommandResult run_heddle(const std::string& arguments, const std::string& environment) {
  static std::atomic<int> number{0};
  const std::filesystem::path base = std::filesystem::path(::testing::TempDir()) /
                                     ("heddle_cli_" + std::to_string(::getpid()) + "_" + std::to_string(number++));
  const std::string out = base.string() + ".out";
  const std::string err = base.string() + ".err";
  const std::string line =
      "env -u HEDDLE_CLI " + environment + " '" + program() + "' " + arguments + " >'" + out + "' 2>'" + err + "'";
  const int status = std::system(line.c_str());  // NOLINT: the shell is part of what a user does
  CommandResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = take(out);
  result.err = take(err);
  return result;
}

bool process_runs(pid_t process) {
  std::ifstream stream("/proc/" + std::to_string(process) + "/cmdline");
  return stream.get() != std::ifstream::traits_type::eof();
}

}  // namespace heddle::test
