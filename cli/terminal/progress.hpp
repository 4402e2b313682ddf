// A line on stderr that shows how far a long step is; nothing where stderr is no terminal, or no thread can be started.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace heddle::cli {

// Shows itself until it is destroyed. Thread safety: `fraction` is called from a thread of its own.
class Progress {
 public:
  // `fraction`: done so far, 0 to 1.
  Progress(std::string label, std::function<double()> fraction);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void show() noexcept;
  void show_until_end();

  const std::string label_;
  const std::function<double()> fraction_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace heddle::cli
