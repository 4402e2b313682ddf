#include "cli/bench/alloc_parts.hpp"

#include <fmt/core.h>

#include <bit>
#include <map>
#include <random>
#include <set>

#include "heddle/device/device.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/memory/page_source.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle::cli {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// Hands out addresses and no memory.
class CountingPages final : public PageSource {
 public:
  std::size_t granule() const noexcept override { return 4096; }
  Status allocate(std::size_t bytes, void** out) override {
    *out = std::bit_cast<void*>(next_);
    next_ += bytes;
    return {};
  }
  void release(void*, std::size_t) noexcept override {}

 private:
  std::uintptr_t next_ = std::uintptr_t{1} << 32;
};

// The reference: an arena that grows at its end by what is missing, best fit, neighbours joined at once.
class BestFit {
 public:
  std::size_t take(std::size_t bytes) {
    bytes = (bytes + 255) / 256 * 256;
    const auto fit = by_size_.lower_bound({bytes, 0});
    std::size_t base = 0;
    if (fit != by_size_.end()) {
      base = fit->second;
      const std::size_t size = fit->first;
      erase(base, size);
      if (size > bytes) insert(base + bytes, size - bytes);
    } else {
      base = end_;
      if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == end_) {
        base = free_.rbegin()->first;
        erase(base, end_ - base);
      }
      end_ = base + bytes;
    }
    live_.emplace(base, bytes);
    return base;
  }
  void give(std::size_t base) {
    std::size_t bytes = live_.extract(base).mapped();
    const auto next = free_.find(base + bytes);
    if (next != free_.end()) {
      const std::size_t more = next->second;
      erase(next->first, more);
      bytes += more;
    }
    const auto after = free_.lower_bound(base);
    if (after != free_.begin() && std::prev(after)->first + std::prev(after)->second == base) {
      const auto [before, size] = *std::prev(after);
      erase(before, size);
      base = before;
      bytes += size;
    }
    insert(base, bytes);
  }
  std::size_t reserved() const { return end_; }

 private:
  void insert(std::size_t base, std::size_t bytes) {
    free_.emplace(base, bytes);
    by_size_.emplace(bytes, base);
  }
  void erase(std::size_t base, std::size_t bytes) {
    free_.erase(base);
    by_size_.erase({bytes, base});
  }
  std::size_t end_ = 0;
  std::map<std::size_t, std::size_t> free_, live_;
  std::set<std::pair<std::size_t, std::size_t>> by_size_;
};

struct Peaks {
  std::size_t live = 0, heddle = 0, best_fit = 0;
};

Peaks run(Runtime& runtime, std::size_t cap, std::size_t most, int steps, std::uint32_t seed) {
  CountingPages pages;
  DeviceMemory memory(pages, *runtime.core().pool(), {.limit = std::size_t{1} << 44});
  BestFit reference;
  struct Live {
    Buffer buffer;
    std::size_t reference, bytes;
  };
  std::vector<Live> blocks;
  std::mt19937 random(seed);
  std::uniform_int_distribution<std::size_t> size(1, most);
  std::size_t live = 0;
  Peaks peaks;
  for (int step = 0; step < steps; ++step) {
    const std::size_t bytes = size(random);
    const bool allocates = random() % 100 < 73;
    if (allocates && live + bytes <= cap) {
      blocks.push_back({Buffer::create(runtime.core().pool(), memory, bytes), reference.take(bytes), bytes});
      live += bytes;
    } else if (!blocks.empty()) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      reference.give(blocks.back().reference);
      live -= blocks.back().bytes;
      blocks.pop_back();
    }
    peaks.live = std::max(peaks.live, live);
  }
  blocks.clear();
  peaks.heddle = memory.statistics().reserved_peak;
  peaks.best_fit = reference.reserved();
  return peaks;
}

}  // namespace

BenchRows bench_alloc_random() {
  Runtime runtime;
  const Lease lease = runtime.lease();
  BenchRows rows;
  for (const std::size_t cap : {std::size_t{4000}, std::size_t{16000}}) {
    for (const std::size_t most : {std::size_t{4}, std::size_t{64}}) {
      BenchRow live{fmt::format("cap {} MiB, sizes to {} MiB: live", cap, most), "MiB", {}};
      BenchRow ours{fmt::format("cap {} MiB, sizes to {} MiB: heddle reserves", cap, most), "MiB", {}};
      BenchRow reference{fmt::format("cap {} MiB, sizes to {} MiB: best fit reserves", cap, most), "MiB", {}};
      BenchRow ratio{fmt::format("cap {} MiB, sizes to {} MiB: heddle / best fit", cap, most), "x", {}};
      for (std::uint32_t seed = 1; seed <= 3; ++seed) {
        const Peaks peaks = run(runtime, cap * kMiB, most * kMiB, 100'000, seed);
        live.values.push_back(static_cast<double>(peaks.live) / kMiB);
        ours.values.push_back(static_cast<double>(peaks.heddle) / kMiB);
        reference.values.push_back(static_cast<double>(peaks.best_fit) / kMiB);
        ratio.values.push_back(static_cast<double>(peaks.heddle) / static_cast<double>(peaks.best_fit));
      }
      for (BenchRow* row : {&live, &ours, &reference, &ratio}) rows.push_back(std::move(*row));
    }
  }
  return rows;
}

}  // namespace heddle::cli
