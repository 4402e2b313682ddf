#include "cli/terminal/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <utility>

namespace heddle::cli {

Progress::Progress(std::string label, std::function<double()> fraction)
    : label_(std::move(label)), fraction_(std::move(fraction)) {
  if (isatty(STDERR_FILENO) == 0) return;
  try {
    thread_ = std::thread([this] { show(); });
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): what it shows goes on without it
  }
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void Progress::show() noexcept {
  try {
    show_until_end();
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): as above
  }
}

void Progress::show_until_end() {
  bool shown = false;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, std::chrono::milliseconds(200), [this] { return end_; })) {
    fmt::print(stderr, "\r{} {:3.0f} %", label_, 100 * std::clamp(fraction_(), 0.0, 1.0));
    std::fflush(stderr);
    shown = true;
  }
  if (shown) fmt::print(stderr, "\r{:{}}\r", "", label_.size() + 6);
}

}  // namespace heddle::cli
