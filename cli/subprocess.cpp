#include "cli/subprocess.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "heddle/base/error.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kErrorTailMost = 4096;
constexpr int kLookMs = 50;  // how often a program that says nothing is looked after

[[noreturn]] void fail(const std::string& program, int error) {
  throw Error(ErrorKind::kUnsupported, fmt::format("{} cannot be started: {}", program, std::strerror(error)));
}

class Pipe {
 public:
  explicit Pipe(const std::string& program) {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) fail(program, errno);
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int reader() const noexcept { return ends_[0]; }
  int writer() const noexcept { return ends_[1]; }
  void close_end(std::size_t end) noexcept {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
  }
  // What is there now, up to a buffer full; false at the end.
  bool read_into(std::string& text) {
    std::array<char, 16384> buffer;
    const ssize_t count = ::read(reader(), buffer.data(), buffer.size());
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    if (count == 0) close_end(0);
    return count > 0;
  }
  // What is left. Somebody who outlived the program may hold the other end: waits for no more than a moment.
  void drain_into(std::string& text) {
    pollfd source{reader(), POLLIN, 0};
    while (reader() >= 0 && ::poll(&source, 1, kLookMs) > 0 && read_into(text)) {
    }
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// In the child, where only calls that are safe after fork() are allowed.
[[noreturn]] void become(char* const* arguments, const Pipe& out, const Pipe& error, const Pipe& failure,
                         pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it had died before
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out.writer(), STDOUT_FILENO);
  ::dup2(error.writer(), STDERR_FILENO);
  ::execv(arguments[0], arguments);
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure.writer(), &reason, sizeof reason);
  ::_exit(127);
}

pid_t start(const std::vector<std::string>& command, Pipe& out, Pipe& error) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  Pipe failure(command[0]);  // closed by a successful exec
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) fail(command[0], errno);
  if (child == 0) become(arguments.data(), out, error, failure, parent);
  ::setpgid(child, child);  // whichever of the two comes first
  out.close_end(1);
  error.close_end(1);
  failure.close_end(1);
  int reason = 0;
  if (::read(failure.reader(), &reason, sizeof reason) == sizeof reason) {
    ::waitpid(child, nullptr, 0);
    fail(command[0], reason);
  }
  return child;
}

// Hands on the whole lines of `text` behind `seen`.
void tell_lines(const std::string& text, std::size_t& seen, const std::function<void(std::string_view)>& on_line) {
  for (std::size_t end = text.find('\n', seen); end != std::string::npos; end = text.find('\n', seen)) {
    if (on_line) on_line(std::string_view(text).substr(seen, end - seen));
    seen = end + 1;
  }
}

void keep_tail(std::string& text) {
  if (text.size() > kErrorTailMost) text.erase(0, text.size() - kErrorTailMost);
}

}  // namespace

std::string ProcessResult::ended() const {
  if (timed_out) return fmt::format("killed: no end within {:.0f} s", seconds);
  if (signal != 0) return fmt::format("signal {} ({})", signal, ::strsignal(signal));
  return fmt::format("exit code {}", exit_code);
}

ProcessResult run_process(const std::vector<std::string>& command, std::chrono::duration<double> most,
                          const std::function<void(std::string_view)>& on_line) {
  ProcessResult result;
  Pipe out(command[0]);
  Pipe error(command[0]);
  const Clock::time_point begin = Clock::now();
  const Clock::time_point deadline = begin + std::chrono::duration_cast<Clock::duration>(most);
  const pid_t child = start(command, out, error);
  std::size_t seen = 0;
  bool ended = false;
  while (!ended) {
    std::array<pollfd, 2> sources{{{out.reader(), POLLIN, 0}, {error.reader(), POLLIN, 0}}};  // closed ones are -1
    ::poll(sources.data(), sources.size(), kLookMs);
    if (sources[0].revents != 0) out.read_into(result.out);
    if (sources[1].revents != 0) error.read_into(result.error_tail);
    keep_tail(result.error_tail);
    tell_lines(result.out, seen, on_line);
    if (!result.timed_out && Clock::now() >= deadline) {
      result.timed_out = true;
      ::kill(-child, SIGKILL);
    }
    siginfo_t info{};
    ended = ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == child;
  }
  ::kill(-child, SIGKILL);  // what it left behind; the child is not reaped yet, so the number is still its own
  int status = 0;
  ::waitpid(child, &status, 0);
  out.drain_into(result.out);
  error.drain_into(result.error_tail);
  keep_tail(result.error_tail);
  tell_lines(result.out, seen, on_line);
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace heddle::cli
