#include "heddle_check/campaign/portfolio.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "heddle_check/campaign/progress.hpp"
#include "heddle_check/campaign/shard.hpp"

namespace heddle_check {
namespace {

[[noreturn]] void system_failure(const char* what) {
  throw std::system_error(errno, std::generic_category(), fmt::format("a portfolio cannot {}", what));
}

class SharedBoard {
 public:
  SharedBoard() {
    void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) system_failure("share memory between its processes");
    board_ = new (memory) Board();
  }
  ~SharedBoard() { munmap(board_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  Board& operator*() const noexcept { return *board_; }

 private:
  Board* board_;
};

// A process that runs one shard and writes its results into a pipe.
class Child {
 public:
  explicit Child(const ShardWork& work) : shard_(work.shard) {
    int ends[2];
    if (pipe(ends) != 0) system_failure("make a pipe");
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(1);
      work_and_exit(work, ends[1]);
    }
    close(ends[1]);
    out_ = ends[0];
    if (pid_ < 0) {
      close(out_);
      system_failure("start a process");
    }
  }
  ~Child() {
    if (out_ >= 0) close(out_);
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  Child(Child&& other) noexcept
      : shard_(other.shard_),
        pid_(std::exchange(other.pid_, 0)),
        out_(std::exchange(other.out_, -1)),
        bytes_(std::move(other.bytes_)) {}
  Child& operator=(Child&&) = delete;

  int out() const noexcept { return out_; }
  const std::string& bytes() const noexcept { return bytes_; }
  // Reads what is there, or the end of the pipe.
  void receive() {
    char buffer[65536];
    const ssize_t count = read(out_, buffer, sizeof(buffer));
    if (count > 0) {
      bytes_.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      close(std::exchange(out_, -1));
    }
  }
  // Waits for the process to end. Empty if it succeeded, otherwise the reason.
  std::string end() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    if (WIFSIGNALED(status)) {
      const int signal = WTERMSIG(status);
      return fmt::format("shard {} was ended by signal {} ({})", shard_, signal, strsignal(signal));
    }
    if (WEXITSTATUS(status) != 0) return fmt::format("shard {} ended with exit code {}", shard_, WEXITSTATUS(status));
    return {};
  }

 private:
  [[noreturn]] static void work_and_exit(const ShardWork& work, int out) {
    int code = 1;
    try {
      const std::string bytes = encode_results(run_shard(work));
      std::size_t written = 0;
      while (written < bytes.size()) {
        const ssize_t count = write(out, bytes.data() + written, bytes.size() - written);
        if (count < 0 && errno != EINTR) break;
        if (count > 0) written += static_cast<std::size_t>(count);
      }
      code = written == bytes.size() ? 0 : 1;
    } catch (const std::exception& error) {
      fmt::print(stderr, "heddle-check: shard {}: {}\n", work.shard, error.what());
    }
    _exit(code);  // so nothing of the parent is flushed or destroyed twice
  }

  unsigned shard_;
  pid_t pid_ = 0;
  int out_ = -1;
  std::string bytes_;
};

void add(PortfolioResult& to, const std::vector<Result>& results) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    merge(to.parts[i].result, results[i]);
    if (results[i].failed() && to.failed_strategy.empty()) to.failed_strategy = to_text(to.parts[i].spec);
    merge(to.total, results[i]);
  }
}

void receive_all(std::vector<Child>& children, Progress& progress) {
  while (true) {
    std::vector<pollfd> waiting;
    for (const Child& child : children) {
      if (child.out() >= 0) waiting.push_back({child.out(), POLLIN, 0});
    }
    if (waiting.empty()) return;
    poll(waiting.data(), waiting.size(), 500);
    progress.tick();
    for (const pollfd& ready : waiting) {
      if (ready.revents == 0) continue;
      for (Child& child : children) {
        if (child.out() == ready.fd) child.receive();
      }
    }
  }
}

void run_processes(const Scenario& scenario, const PortfolioOptions& options, Board& board, Progress& progress,
                   PortfolioResult& result) {
  static_cast<void>(std::fflush(nullptr));
  std::vector<Child> children;
  for (unsigned i = 0; i < options.shards; ++i) children.emplace_back(ShardWork{scenario, options, i, board});
  receive_all(children, progress);
  for (Child& child : children) {
    std::string lost = child.end();
    if (lost.empty()) {
      add(result, decode_results(child.bytes()));
    } else {
      result.lost.push_back(std::move(lost));
    }
  }
}

}  // namespace

std::vector<StrategySpec> default_portfolio() {
  std::vector<StrategySpec> strategies;
  for (const char* text : {"walk:1", "walk:0.3", "walk:0.1", "walk:0.03", "pct:2", "pct:3", "pos", "surw"}) {
    strategies.push_back(parse_strategy(text));
  }
  return strategies;
}

PortfolioResult run_portfolio(const Scenario& scenario, const PortfolioOptions& asked) {
  PortfolioOptions options = asked;
  if (options.strategies.empty()) options.strategies = default_portfolio();
  if (options.shards == 0 || options.shards > kMaxShards) {
    throw std::invalid_argument(fmt::format("shards: {}; allowed: 1 to {}", options.shards, kMaxShards));
  }
  if (options.budget.executions == 0 && !(options.budget.seconds > 0)) {
    throw std::invalid_argument("a portfolio needs a budget: executions or seconds above 0");
  }
  PortfolioResult result;
  for (const StrategySpec& spec : options.strategies) {
    make_strategy(spec, 0);  // rejects unknown ones here, not in every shard
    result.parts.push_back({spec, {}});
  }
  const auto start = std::chrono::steady_clock::now();
  const SharedBoard board;
  Progress progress(scenario.name, *board, options.shards, options.progress);
  if (options.shards == 1) {
    const auto tick = [](void* context) { static_cast<Progress*>(context)->tick(); };
    std::vector<Result> results;
    for (StrategyResult& part : run_shard({scenario, options, 0, *board, tick, &progress})) {
      results.push_back(std::move(part.result));
    }
    add(result, results);
  } else {
    run_processes(scenario, options, *board, progress, result);
  }
  result.total.summary.clear();
  result.total.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace heddle_check
