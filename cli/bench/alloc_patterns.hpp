// Allocation patterns of `heddle bench alloc`, the same code for every allocator.
//
// An Allocator has `Handle` (move-only or shared; gives its memory back when dropped) and `Thread`, constructed from
// the allocator on each thread that allocates, with `Handle make(std::size_t bytes)`. Figures are processor time, so
// they hold also with more threads than processors.
#pragma once

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "cli/bench/measured_threads.hpp"

namespace heddle::cli {

struct PatternOptions {
  std::uint32_t threads = 1;
  double seconds = 0.2;
};

struct SamePairs {
  double pairs = 0;        // of all threads
  double seconds = 0;      // of wall time
  double nanoseconds = 0;  // of processor time, a pair
  double counted = 0;      // by how much `count` grew meanwhile
};

// Each thread makes a handle and drops it.
template <class Allocator, class Count>
SamePairs count_same(Allocator& allocator, std::size_t bytes, const PatternOptions& options, Count count) {
  using Clock = std::chrono::steady_clock;
  constexpr int kBatch = 4096;
  SamePairs same;
  Tally tally;
  Clock::time_point start;
  std::barrier begin(options.threads, [&]() noexcept {
    start = Clock::now();
    same.counted = -static_cast<double>(count());
  });
  std::barrier end(options.threads, [&]() noexcept {
    same.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    same.counted += static_cast<double>(count());
  });
  on_threads(options.threads, [&](std::uint32_t) {
    typename Allocator::Thread thread(allocator);
    for (int i = 0; i < 100; ++i) static_cast<void>(thread.make(bytes));
    begin.arrive_and_wait();
    const Stopwatch watch(options.seconds);
    double pairs = 0;
    const double before = thread_nanoseconds();
    for (; watch.running(); pairs += kBatch) {
      for (int i = 0; i < kBatch; ++i) const auto handle = thread.make(bytes);
    }
    tally.add(pairs, thread_nanoseconds() - before);
    end.arrive_and_wait();
  });
  same.pairs = tally.pairs();
  same.nanoseconds = tally.per_pair();
  return same;
}

template <class Allocator>
double pattern_same(Allocator& allocator, std::size_t bytes, const PatternOptions& options) {
  return count_same(allocator, bytes, options, [] { return 0; }).nanoseconds;
}

// The 99.9th percentile of single pairs, wall time with the clock's own cost in it.
template <class Allocator>
double pattern_tail(Allocator& allocator, std::size_t bytes, const PatternOptions& options) {
  using Clock = std::chrono::steady_clock;
  std::vector<float> times;
  on_threads(1, [&](std::uint32_t) {
    typename Allocator::Thread thread(allocator);
    for (int i = 0; i < 100; ++i) static_cast<void>(thread.make(bytes));
    times.reserve(1 << 22);
    const Stopwatch watch(options.seconds);
    while (watch.running() && times.size() + 1024 < times.capacity()) {
      for (int i = 0; i < 1024; ++i) {
        const Clock::time_point start = Clock::now();
        {
          const auto handle = thread.make(bytes);
        }
        times.push_back(std::chrono::duration<float, std::nano>(Clock::now() - start).count());
      }
    }
  });
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 999 / 1000);
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

// Eight live, sizes spread evenly from 512 bytes to 1 MiB; each step replaces one.
template <class Allocator>
double pattern_mix(Allocator& allocator, const PatternOptions& options) {
  constexpr int kBatch = 1024;
  Tally tally;
  std::barrier together(options.threads);
  on_threads(options.threads, [&](std::uint32_t number) {
    typename Allocator::Thread thread(allocator);
    std::mt19937 random(number + 1);
    std::vector<std::uint32_t> sizes(1 << 14);
    for (auto& size : sizes) size = 512 + random() % ((1U << 20) - 511);
    typename Allocator::Handle live[8];
    std::size_t at = 0;
    const auto batch = [&] {
      for (int i = 0; i < kBatch; ++i, ++at) live[at % 8] = thread.make(sizes[at % sizes.size()]);
    };
    for (int i = 0; i < 32; ++i) batch();
    together.arrive_and_wait();
    const Stopwatch watch(options.seconds);
    double pairs = 0;
    const double start = thread_nanoseconds();
    for (; watch.running(); pairs += kBatch) batch();
    tally.add(pairs, thread_nanoseconds() - start);
    together.arrive_and_wait();
  });
  return tally.per_pair();
}

struct RemoteTimes {
  double free = 0;      // nanoseconds a block on the thread that frees
  double allocate = 0;  // nanoseconds a block on the owner, which takes them back and allocates them again
  double own = 0;       // nanoseconds a block that the owner needs to allocate what it freed itself
};

// One thread allocates, another one frees; in the order of allocation or shuffled.
template <class Allocator>
RemoteTimes pattern_remote(Allocator& allocator, std::size_t bytes, bool shuffled, const PatternOptions& options) {
  constexpr std::size_t kBlocks = 2048;
  std::vector<typename Allocator::Handle> handles(kBlocks);
  std::vector<std::uint32_t> order(kBlocks);
  for (std::size_t i = 0; i < kBlocks; ++i) order[i] = static_cast<std::uint32_t>(i);
  if (shuffled) std::shuffle(order.begin(), order.end(), std::mt19937(3));
  RemoteTimes times;
  double rounds = 0;
  bool running = true;
  std::barrier turn(2);
  on_threads(2, [&](std::uint32_t number) {
    if (number == 1) {
      while (true) {
        turn.arrive_and_wait();
        if (!running) return;
        const double start = thread_nanoseconds();
        for (const std::uint32_t i : order) handles[i] = {};
        times.free += thread_nanoseconds() - start;
        turn.arrive_and_wait();
      }
    }
    typename Allocator::Thread thread(allocator);
    const auto fill = [&] {
      const double start = thread_nanoseconds();
      for (auto& handle : handles) handle = thread.make(bytes);
      return thread_nanoseconds() - start;
    };
    for (int i = 0; i < 3; ++i) {
      fill();
      for (auto& handle : handles) handle = {};
    }
    const Stopwatch watch(options.seconds);
    fill();
    for (; watch.running(); ++rounds) {
      turn.arrive_and_wait();
      turn.arrive_and_wait();
      times.allocate += fill();
      for (auto& handle : handles) handle = {};
      times.own += fill();
    }
    running = false;
    turn.arrive_and_wait();
    for (auto& handle : handles) handle = {};
  });
  const double blocks = rounds * kBlocks;
  return {times.free / blocks, times.allocate / blocks, times.own / blocks};
}

// Half of the threads only allocate, half only free (after xmalloc-test).
template <class Allocator>
double pattern_xmalloc(Allocator& allocator, const PatternOptions& options) {
  using Batch = std::vector<typename Allocator::Handle>;
  constexpr std::size_t kBatch = 256;
  const std::uint32_t pairs_of_threads = std::max(1U, options.threads / 2);
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> queue;
  std::uint32_t producers = pairs_of_threads;
  Tally tally;
  const Stopwatch watch(options.seconds);
  on_threads(2 * pairs_of_threads, [&](std::uint32_t number) {
    double nanoseconds = 0;
    double pairs = 0;
    if (number % 2 == 0) {
      typename Allocator::Thread thread(allocator);
      while (watch.running()) {
        Batch batch;
        batch.reserve(kBatch);
        const double start = thread_nanoseconds();
        for (std::size_t i = 0; i < kBatch; ++i) batch.push_back(thread.make(16384));
        nanoseconds += thread_nanoseconds() - start;
        pairs += kBatch;
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return queue.size() < 4 * pairs_of_threads; });
        queue.push_back(std::move(batch));
        changed.notify_all();
      }
      const std::lock_guard lock(mutex);
      --producers;
      changed.notify_all();
    } else {
      while (true) {
        Batch batch;
        {
          std::unique_lock lock(mutex);
          changed.wait(lock, [&] { return !queue.empty() || producers == 0; });
          if (queue.empty()) break;
          batch = std::move(queue.front());
          queue.pop_front();
          changed.notify_all();
        }
        const double start = thread_nanoseconds();
        for (auto& handle : batch) handle = {};
        nanoseconds += thread_nanoseconds() - start;
      }
    }
    tally.add(pairs, nanoseconds);
  });
  return tally.per_pair();
}

// Each thread replaces random blocks of its array, then passes the array on (after larson, sizes 5 to 1000 KiB).
template <class Allocator>
double pattern_larson(Allocator& allocator, const PatternOptions& options) {
  constexpr std::size_t kSlots = 100;
  std::vector<std::vector<typename Allocator::Handle>> arrays(options.threads);
  for (auto& array : arrays) array.resize(kSlots);
  std::atomic<bool> stop{false};
  Tally tally;
  std::barrier round(options.threads);
  const Stopwatch watch(options.seconds);
  on_threads(options.threads, [&](std::uint32_t number) {
    typename Allocator::Thread thread(allocator);
    std::minstd_rand random(number + 1);
    double nanoseconds = 0;
    double pairs = 0;
    for (std::uint32_t turn = 0; !stop; ++turn) {
      auto& array = arrays[(number + turn) % options.threads];
      const double start = thread_nanoseconds();
      for (int i = 0; i < 5000; ++i) array[random() % kSlots] = thread.make(1024 * (5 + random() % 996));
      nanoseconds += thread_nanoseconds() - start;
      pairs += 5000;
      round.arrive_and_wait();
      if (number == 0 && !watch.running()) stop = true;
      round.arrive_and_wait();
    }
    arrays[number].clear();
    tally.add(pairs, nanoseconds);
  });
  return tally.per_pair();
}

// Threads come and go; some of what one allocated is freed by later ones (after mstress).
template <class Allocator>
double pattern_mstress(Allocator& allocator, const PatternOptions& options) {
  constexpr std::size_t kTransfer = 1000;
  std::vector<typename Allocator::Handle> transfer(kTransfer);
  std::mutex mutex;
  Tally tally;
  const Stopwatch watch(options.seconds);
  std::uint32_t phase = 0;
  do {
    ++phase;
    on_threads(options.threads, [&](std::uint32_t number) {
      typename Allocator::Thread thread(allocator);
      std::minstd_rand random(phase * 1000 + number + 1);
      std::vector<typename Allocator::Handle> own;
      const double start = thread_nanoseconds();
      constexpr int kSteps = 2000;
      for (int i = 0; i < kSteps; ++i) {
        own.push_back(thread.make(256 + random() % 65536));
        if (random() % 4 == 0) {
          const std::size_t index = random() % kTransfer;
          const std::lock_guard lock(mutex);
          std::swap(transfer[index], own.back());
        } else if (random() % 2 == 0) {
          std::swap(own[random() % own.size()], own.back());
          own.pop_back();
        }
      }
      own.clear();
      tally.add(kSteps, thread_nanoseconds() - start);
    });
  } while (watch.running());
  transfer.clear();
  return tally.per_pair();
}

}  // namespace heddle::cli
