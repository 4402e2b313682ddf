#include "process/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

extern char** environ;

namespace heddle::test {
namespace {

// Reads until all writers are gone; false if the time ends first. A grandchild may keep the pipe open.
bool read_until_closed(int pipe, std::chrono::steady_clock::time_point end, std::string& output) {
  std::array<char, 4096> buffer{};
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd watched{pipe, POLLIN, 0};
    if (poll(&watched, 1, static_cast<int>(left.count())) <= 0) continue;
    const ssize_t size = read(pipe, buffer.data(), buffer.size());
    if (size == 0) return true;
    if (size > 0) output.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

Ended run_process(const std::vector<std::string>& command, std::chrono::seconds most) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));  // NOLINT
  arguments.push_back(nullptr);
  pid_t process = -1;
  const int error = posix_spawn(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    throw std::runtime_error("cannot start " + command[0]);
  }
  Ended ended;
  ended.timed_out = !read_until_closed(ends[0], std::chrono::steady_clock::now() + most, ended.output);
  if (ended.timed_out) kill(process, SIGKILL);
  close(ends[0]);
  int status = 0;
  waitpid(process, &status, 0);
  ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

}  // namespace heddle::test
