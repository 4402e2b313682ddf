// A few threads that run the same body; used by loads.
#pragma once

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "cli/stress/thread_failures.hpp"

namespace heddle::cli {

// Runs body(0) ... body(threads - 1), each on a thread of its own, and waits for all. Returns what they threw, as text,
// also that one of them could not be started. REQUIRES: no body waits for another.
inline std::vector<std::string> in_threads(unsigned threads, const std::function<void(unsigned)>& body) {
  ThreadFailures failures(2 * std::size_t{threads});
  {
    std::vector<std::jthread> running;
    running.reserve(threads);
    for (unsigned i = 0; i < threads; ++i) {
      failures.guard("a thread could not be started", [&] {
        running.emplace_back([&, i] {
          failures.guard("", [&] {
            try {
              body(i);
            } catch (const std::exception& error) {
              throw std::runtime_error("thread " + std::to_string(i) + ": " + error.what());
            }
          });
        });
      });
    }
  }
  std::vector<std::string> texts = failures.texts();
  if (texts.size() < failures.count()) texts.push_back(std::to_string(failures.count()) + " threads failed");
  return texts;
}

}  // namespace heddle::cli
