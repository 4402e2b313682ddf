// A few threads that run the same body; used by loads.
#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace heddle::cli {

// Runs body(0) ... body(threads - 1), each on a thread of its own, and waits for all. Returns what they threw, as text.
inline std::vector<std::string> in_threads(unsigned threads, const std::function<void(unsigned)>& body) {
  std::mutex mutex;  // guards errors
  std::vector<std::string> errors;
  std::vector<std::jthread> running;
  running.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      try {
        body(i);
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        errors.push_back("thread " + std::to_string(i) + ": " + error.what());
      }
    });
  }
  running.clear();  // joins
  return errors;
}

}  // namespace heddle::cli
