#include "heddle_check/campaign/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <span>
#include <utility>

namespace heddle_check {

std::string progress_line(const std::string& scenario, std::uint64_t executions, std::uint64_t points, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(points) / seconds : 0;
  return fmt::format("{}: {} executions, {:.1f} M points/s, {:.0f} s", scenario, executions, rate / 1e6, seconds);
}

Progress::Progress(std::string scenario, const Board& board, unsigned shards, bool wanted)
    : scenario_(std::move(scenario)), board_(board), shards_(shards), shown_(wanted && isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::tick() {
  const Clock::time_point now = Clock::now();
  if (!shown_ || now - last_ < std::chrono::milliseconds(500)) return;
  last_ = now;
  std::uint64_t executions = 0, points = 0;
  for (const Counters& shard : std::span(board_.shards, shards_)) {
    executions += shard.executions.load(std::memory_order_relaxed);
    points += shard.points.load(std::memory_order_relaxed);
  }
  const double seconds = std::chrono::duration<double>(now - start_).count();
  fmt::print(stderr, "\r\x1b[K{}", progress_line(scenario_, executions, points, seconds));
  static_cast<void>(std::fflush(stderr));
}

}  // namespace heddle_check
