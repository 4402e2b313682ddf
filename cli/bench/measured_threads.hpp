// Threads of measurements: those that are started here end the process, with one line and exit code 1, where they throw
// or cannot be started, as others may wait for them without end.
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
#include <utility>
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

[[noreturn]] inline void end_measurement(const char* why) noexcept {
  std::fprintf(stderr, "heddle: a thread of the measurement failed: %s\n", why);
  std::_Exit(kExitFail);
}

// Calls `body`; what it throws ends the process.
template <class Body>
void or_end(const Body& body) noexcept {
  try {
    body();
  } catch (const std::exception& error) {
    end_measurement(error.what());
  } catch (...) {
    end_measurement("an exception of unknown type");
  }
}

// Thread safety: one thread starts and joins them.
class MeasuringThreads {
 public:
  MeasuringThreads() = default;
  // With threads that were not joined: something was thrown on the thread that measures.
  ~MeasuringThreads() {
    if (!threads_.empty()) end_measurement("an error on the thread that measures, while others run");
  }
  MeasuringThreads(const MeasuringThreads&) = delete;
  MeasuringThreads& operator=(const MeasuringThreads&) = delete;

  template <class Body>
  void start(Body body) {
    or_end([&] { threads_.emplace_back([body = std::move(body)] { or_end(body); }); });
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

// Calls `body(number)` on `threads` threads, pinned, and waits.
template <class Body>
void on_threads(std::uint32_t threads, Body body) {
  MeasuringThreads workers;
  for (std::uint32_t number = 0; number < threads; ++number) {
    workers.start([number, &body] {
      pin_thread(number);
      body(number);
    });
  }
  workers.join();
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
