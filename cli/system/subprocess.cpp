#include "cli/system/subprocess.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "heddle/base/environment.hpp"
#include "heddle/error.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kErrorTailMost = 4096;
constexpr int kLookMs = 50;                              // how often a program that says nothing is looked after
constexpr std::size_t kPipeMost = std::size_t{1} << 20;  // what a pipe may hold (fs.pipe-max-size)

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
  // What the program left in the pipe, which has room for so much. A process that outlived the program may hold the
  // other end: waits only a moment for it, and reads no more of what it goes on to write.
  void drain_into(std::string& text) {
    pollfd source{reader(), POLLIN, 0};
    const std::size_t most = text.size() + kPipeMost;
    while (reader() >= 0 && text.size() < most && ::poll(&source, 1, kLookMs) > 0 && read_into(text)) {
    }
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// In the child, where only calls that are safe after fork() are allowed.
[[noreturn]] void become(char* const* arguments, char* const* environment, const Pipe& out, const Pipe& error,
                         const Pipe& failure, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it had died before
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(out.writer(), STDOUT_FILENO);
  ::dup2(error.writer(), STDERR_FILENO);
  ::execve(arguments[0], arguments, environment);
  const int reason = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure.writer(), &reason, sizeof reason);
  ::_exit(127);
}

// For exec: ends with a null pointer.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

// What `added` names, then what this process has of other names.
std::vector<std::string> environment_with(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const std::string_view name = line.substr(0, line.find('=') + 1);
    const bool replaced =
        std::any_of(added.begin(), added.end(), [name](const std::string& other) { return other.starts_with(name); });
    if (!replaced) all.emplace_back(line);
  }
  return all;
}

pid_t start(const std::vector<std::string>& command, const std::vector<std::string>& added, Pipe& out, Pipe& error) {
  const std::vector<std::string> environment = environment_with(added);
  const std::vector<char*> arguments = pointers(command);
  const std::vector<char*> variables = pointers(environment);
  Pipe failure(command[0]);  // closed by a successful exec
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) fail(command[0], errno);
  if (child == 0) become(arguments.data(), variables.data(), out, error, failure, parent);
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

// A started program; ends and reaps it when something is thrown while it runs.
class Child {
 public:
  explicit Child(pid_t process) : process_(process) {}
  ~Child() {
    if (process_ > 0) reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Its whole group. REQUIRES: not reaped; so the number is still its own.
  void kill() const noexcept { ::kill(-process_, SIGKILL); }
  bool ended() const noexcept {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == process_;
  }
  // Kills what it left behind. Its status.
  int reap() noexcept {
    kill();
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = 0;
    return status;
  }

 private:
  pid_t process_;
};

void keep_tail(std::string& text) {
  if (text.size() > kErrorTailMost) text.erase(0, text.size() - kErrorTailMost);
}

}  // namespace

std::string ProcessResult::ended() const {
  if (flooded) return fmt::format("killed: it printed more than {} bytes", kOutMost);
  if (timed_out) return fmt::format("killed: no end within {:.0f} s", seconds);
  if (signal != 0) return fmt::format("signal {} ({})", signal, ::strsignal(signal));
  return fmt::format("exit code {}", exit_code);
}

ProcessResult run_process(const std::vector<std::string>& command, std::chrono::duration<double> most,
                          const std::function<void(std::string_view)>& on_line,
                          const std::vector<std::string>& environment) {
  ProcessResult result;
  Pipe out(command[0]);
  Pipe error(command[0]);
  const Clock::time_point begin = Clock::now();
  const Clock::time_point deadline = begin + std::chrono::duration_cast<Clock::duration>(most);
  Child child(start(command, environment, out, error));
  std::size_t seen = 0;
  bool ended = false;
  while (!ended) {
    std::array<pollfd, 2> sources{{{out.reader(), POLLIN, 0}, {error.reader(), POLLIN, 0}}};  // closed ones are -1
    ::poll(sources.data(), sources.size(), kLookMs);
    if (sources[0].revents != 0) out.read_into(result.out);
    if (sources[1].revents != 0) error.read_into(result.error_tail);
    keep_tail(result.error_tail);
    tell_lines(result.out, seen, on_line);
    result.timed_out = result.timed_out || Clock::now() >= deadline;
    result.flooded = result.flooded || result.out.size() > kOutMost;
    if (result.timed_out || result.flooded) child.kill();
    ended = child.ended();
  }
  const int status = child.reap();
  if (!result.flooded) out.drain_into(result.out);
  error.drain_into(result.error_tail);
  keep_tail(result.error_tail);
  tell_lines(result.out, seen, on_line);
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace heddle::cli
