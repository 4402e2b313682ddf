#include "cli/stress/loop.hpp"

#include <algorithm>

namespace heddle::cli {
namespace {

// Sums kept for the check by all threads together (16 bytes each).
constexpr std::uint64_t kKeptSumsMax = std::uint64_t{1} << 24;

// A well mixed function of its argument (splitmix64; Steele, Lea, Flood: OOPSLA 2014).
std::uint64_t mixed(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

std::uint64_t drawn_subsequence(const StressOptions& options, std::uint32_t thread, Inject inject) {
  if (inject != Inject::kSwap) return thread;
  return options.threads == 1 ? 1 : (thread + 1) % options.threads;
}

Tensor make_mark(Runtime& runtime, const StressOptions& options, Inject inject, const Shape& shape) {
  const std::uint64_t size = options.size;
  const std::uint64_t place = mixed(options.seed) % (size * size);
  std::vector<float> values(size * size, inject == Inject::kRow ? 1.0F : 0.0F);
  if (inject == Inject::kRow) {
    const auto row = values.begin() + static_cast<std::ptrdiff_t>(place / size * size);
    std::fill(row, row + static_cast<std::ptrdiff_t>(size), 0.0F);
  } else {
    values[place] = 1.0F;
  }
  return Tensor::from_host(runtime, values, shape);
}

}  // namespace

StressLoop::StressLoop(Runtime& runtime, const StressOptions& options, std::uint32_t thread, StressSlot& slot)
    : runtime_(runtime),
      options_(options),
      thread_(thread),
      inject_(thread == 0 ? options.inject : Inject::kNone),
      slot_(slot),
      shape_{static_cast<std::int64_t>(options.size), static_cast<std::int64_t>(options.size)},
      generator_(runtime, options.seed, drawn_subsequence(options, thread, inject_)) {
  std::uint64_t longest = options.sync_every;
  if (options.seconds <= 0) longest = std::min(longest, options.iterations);
  sums_.reserve(longest);
  values_.resize(longest);
  if (inject_ == Inject::kElement || inject_ == Inject::kRow) mark_ = make_mark(runtime, options, inject_, shape_);
  if (inject_ == Inject::kStale) {
    Generator other(runtime, options.seed, options.threads);
    const Tensor x = randn(other, shape_);
    previous_ = matmul(x, x);
  }
}

void StressLoop::warm_up() {
  for (std::uint32_t round = 0; round < options_.warmup_rounds; ++round) list(values_.size());
  runtime_.synchronize();
}

void StressLoop::run(std::chrono::steady_clock::time_point deadline) {
  const bool timed = options_.seconds > 0;
  std::uint64_t left = options_.iterations;
  while (timed || left > 0) {
    const std::uint64_t count = timed ? options_.sync_every : std::min(options_.sync_every, left);
    list(count);
    keep(count);
    left -= timed ? 0 : count;
    slot_.iterations.store(slot_.iterations.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    if (timed && std::chrono::steady_clock::now() >= deadline) return;
  }
}

void StressLoop::list(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) iteration();
  read_sums();
  sums_.clear();
  next_iteration_ += count;
}

// In place where the host sees the device's memory, else with one copy.
void StressLoop::read_sums() {
  if (runtime_.device_info().host_accessible) {
    runtime_.synchronize();
    for (std::size_t i = 0; i < sums_.size(); ++i) values_[i] = sums_[i].item();
    return;
  }
  const std::vector<float> read = (sums_.size() == 1 ? sums_[0] : stack(sums_)).to_host();
  std::copy(read.begin(), read.end(), values_.begin());
}

void StressLoop::iteration() {
  const Tensor x = randn(generator_, shape_);
  Tensor y = matmul(x, x);
  if (inject_ != Inject::kNone) [[unlikely]] {
    if (inject_ == Inject::kStale) std::swap(y, previous_);
    if (inject_ == Inject::kElement) y = add(y, mark_);
    if (inject_ == Inject::kRow) y = mul(y, mark_);
  }
  sums_.push_back(sum(y));
}

void StressLoop::keep(std::uint64_t count) {
  const std::uint64_t number = lists_++;
  if (options_.check == Check::kOff) return;
  if (!options_.check_as_it_goes && (slot_.samples.size() + count) * options_.threads > kKeptSumsMax) {
    ++slot_.unchecked_lists;
    return;
  }
  const std::uint64_t first = next_iteration_ - count;
  if (options_.check == Check::kSampled) {
    const std::uint64_t i = mixed(mixed(options_.seed + thread_) + number) % count;
    slot_.samples.push_back({first + i, thread_, values_[i]});
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const SumSample sample{first + i, thread_, values_[i]};
    if (options_.check_as_it_goes) {
      verify_sum({options_.seed, options_.size}, sample, slot_.verified);
    } else {
      slot_.samples.push_back(sample);
    }
  }
}

}  // namespace heddle::cli
