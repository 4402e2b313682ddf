#include "cli/verify_sums.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <thread>

#include "cli/progress.hpp"
#include "heddle/backends/cpu/kernels/philox.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle::cli {
namespace {

constexpr std::size_t kShownMismatches = 5;
constexpr std::uint64_t kChunk = 4096;  // normals drawn at a time; a multiple of a block's four

}  // namespace

double reference_sum(const SumReference& reference, std::uint64_t thread, std::uint64_t iteration) {
  const std::uint64_t size = reference.size;
  const std::uint64_t count = size * size;
  const GeneratorState state{reference.seed, thread, 0};
  const std::uint64_t first_block = iteration * ((count + 3) / 4);
  std::vector<double> column_sums(size, 0.0);
  std::vector<double> row_sums(size, 0.0);
  std::array<double, kChunk> normals;
  std::uint64_t row = 0;
  std::uint64_t column = 0;
  for (std::uint64_t done = 0; done < count; done += kChunk) {
    const std::uint64_t chunk = std::min(kChunk, count - done);
    cpu::reference_normals(state, first_block + done / 4, chunk, normals.data());
    for (std::uint64_t i = 0; i < chunk; ++i) {
      column_sums[column] += normals[i];
      row_sums[row] += normals[i];
      if (++column == size) {
        column = 0;
        ++row;
      }
    }
  }
  return std::inner_product(column_sums.begin(), column_sums.end(), row_sums.begin(), 0.0);
}

double sum_tolerance(std::uint64_t size) { return 2e-5 * std::pow(static_cast<double>(size), 1.5); }

Verification verify_sums(const SumReference& reference, std::span<const SumSample> samples) {
  Verification result;
  const double tolerance = sum_tolerance(reference.size);
  std::mutex mutex;  // guards result
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < samples.size(); i = next++) {
      const SumSample& sample = samples[i];
      const double expected = reference_sum(reference, sample.thread, sample.iteration);
      if (std::abs(sample.value - expected) <= tolerance) continue;  // false for NaN
      const std::lock_guard lock(mutex);
      ++result.mismatches;
      if (result.first.size() >= kShownMismatches) continue;
      result.first.push_back(
          fmt::format("thread {}, iteration {}: the sum is {}, the reference {:.6f}, tolerance {:.4g}", sample.thread,
                      sample.iteration, sample.value, expected, tolerance));
    }
  };
  const Progress progress("verifying", [&] {
    return static_cast<double>(next.load()) / static_cast<double>(std::max<std::size_t>(samples.size(), 1));
  });
  std::vector<std::thread> helpers;
  const std::size_t processors = sync::available_processors();
  for (std::size_t i = 1; i < std::min(processors, samples.size()); ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  result.checked = samples.size();
  return result;
}

}  // namespace heddle::cli
