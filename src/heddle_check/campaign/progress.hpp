// The progress line of a portfolio: on standard error, if that is a terminal, twice per second.
#pragma once

#include <chrono>
#include <string>

#include "heddle_check/campaign/shard.hpp"

namespace heddle_check {

// "pool: 1234567 executions, 4.1 M points/s, 12 s"
std::string progress_line(const std::string& scenario, std::uint64_t executions, std::uint64_t points, double seconds);

class Progress {
 public:
  Progress(std::string scenario, const Board& board, unsigned shards, bool wanted);
  ~Progress();  // removes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void tick();

 private:
  using Clock = std::chrono::steady_clock;
  const std::string scenario_;
  const Board& board_;
  const unsigned shards_;
  const bool shown_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

}  // namespace heddle_check
