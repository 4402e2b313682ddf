#include "cli/verify/sums.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>

#include "cli/stress/thread_failures.hpp"
#include "cli/terminal/progress.hpp"
#include "heddle/backends/cpu/kernels/philox.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle::cli {
namespace {

constexpr std::size_t kShownMismatches = 5;
constexpr std::size_t kStride = 2'654'435'761;  // a prime above any number of samples: each sample has its turn once
constexpr std::uint64_t kChunk = 4096;          // normals drawn at a time; a multiple of a block's four

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

void Verification::add(const Verification& other) {
  checked += other.checked;
  unchecked += other.unchecked;
  mismatches += other.mismatches;
  for (const std::string& text : other.first) {
    if (first.size() < kShownMismatches) first.push_back(text);
  }
}

void verify_sum(const SumReference& reference, const SumSample& sample, Verification& result) {
  const double tolerance = sum_tolerance(reference.size);
  const double expected = reference_sum(reference, sample.thread, sample.iteration);
  ++result.checked;
  if (std::abs(sample.value - expected) <= tolerance) return;  // false for NaN
  ++result.mismatches;
  if (result.first.size() >= kShownMismatches) return;
  result.first.push_back(fmt::format("thread {}, iteration {}: the sum is {}, the reference {:.6f}, tolerance {:.4g}",
                                     sample.thread, sample.iteration, sample.value, expected, tolerance));
}

Verification verify_sums(const SumReference& reference, std::span<const SumSample> samples,
                         std::chrono::steady_clock::time_point deadline) {
  Verification result;
  std::mutex mutex;  // guards result
  std::atomic<std::size_t> next{0};
  ThreadFailures failures;
  const auto work = [&] {
    failures.guard("", [&] {
      Verification own;
      for (std::size_t i = next++; i < samples.size(); i = next++) {
        if (std::chrono::steady_clock::now() >= deadline) break;
        verify_sum(reference, samples[i * kStride % samples.size()], own);
      }
      const std::lock_guard lock(mutex);
      result.add(own);
    });
  };
  {
    const Progress progress("verifying", [&] {
      return static_cast<double>(next.load()) / static_cast<double>(std::max<std::size_t>(samples.size(), 1));
    });
    std::vector<std::jthread> helpers;
    const std::size_t processors = sync::available_processors();
    failures.guard("", [&] {
      helpers.reserve(processors);
      for (std::size_t i = 1; i < std::min(processors, samples.size()); ++i) {
        try {
          helpers.emplace_back(work);
        } catch (const std::system_error&) {
          break;  // fewer threads do it too
        }
      }
    });
    work();
  }
  if (failures.count() > 0) std::rethrow_exception(failures.first());
  result.unchecked = samples.size() - result.checked;
  return result;
}

}  // namespace heddle::cli
