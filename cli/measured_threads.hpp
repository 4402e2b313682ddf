// Threads whose processor time is measured: pinned, for a while, with what they did added up.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "cli/commands.hpp"

namespace heddle::cli {

// Processor time of the calling thread, in nanoseconds.
inline double thread_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Puts the calling thread on one of the processors that it may use.
inline void pin_thread(std::uint32_t number) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  std::uint32_t left = number % static_cast<std::uint32_t>(CPU_COUNT(&allowed));
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || left-- != 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
    return;
  }
}

// Calls `body(number)` on `threads` threads, pinned, and waits.
template <class Body>
void on_threads(std::uint32_t threads, Body body) {
  std::vector<std::thread> workers;
  workers.reserve(threads);
  for (std::uint32_t number = 0; number < threads; ++number) {
    workers.emplace_back([number, &body] {
      pin_thread(number);
      try {
        body(number);
      } catch (const std::exception& error) {  // the others may wait for this thread without end
        std::fprintf(stderr, "heddle: a thread of the measurement failed: %s\n", error.what());
        std::_Exit(kExitFail);
      }
    });
  }
  for (auto& worker : workers) worker.join();
}

class Stopwatch {
 public:
  explicit Stopwatch(double seconds)
      : end_(std::chrono::steady_clock::now() +
             std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds))) {}
  bool running() const { return std::chrono::steady_clock::now() < end_; }

 private:
  std::chrono::steady_clock::time_point end_;
};

// Pairs and the processor time that they took, over all threads.
class Tally {
 public:
  void add(double pairs, double nanoseconds) {
    const std::lock_guard lock(mutex_);
    pairs_ += pairs;
    nanoseconds_ += nanoseconds;
  }
  double pairs() const { return pairs_; }
  double per_pair() const { return nanoseconds_ / pairs_; }

 private:
  std::mutex mutex_;
  double pairs_ = 0, nanoseconds_ = 0;
};

}  // namespace heddle::cli
