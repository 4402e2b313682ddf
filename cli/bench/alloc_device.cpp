// `heddle bench alloc` on an accelerator: each thread makes a buffer handle of the device's memory on its own stream
// and drops it. Reported are all threads' pairs a second, the processor time of one, and the calls that the backend
// made to its driver meanwhile.
#include <fmt/core.h>

#include "cli/bench/alloc_heddle.hpp"
#include "cli/bench/alloc_parts.hpp"
#include "cli/bench/alloc_patterns.hpp"
#include "heddle/backends/cuda/open.hpp"

namespace heddle::cli {

BenchRows bench_alloc_device(const BenchOptions& options) {
  BenchRows rows;
  Heddle allocator(options.threads, options.runtime);
  for (const auto& [bytes, name] : {std::pair<std::size_t, const char*>{512, "512 B"},
                                    {std::size_t{16} << 10, "16 KiB"},
                                    {std::size_t{1} << 20, "1 MiB"},
                                    {std::size_t{16} << 20, "16 MiB"}}) {
    BenchRow rate{fmt::format("{}, all threads", name), "pairs/s", {}};
    BenchRow cost{name, "ns/pair", {}};
    BenchRow calls{fmt::format("{}, driver calls", name), "per 1,000 pairs", {}};
    for (std::uint64_t run = 0; run < options.runs; ++run) {
      const SamePairs same = count_same(allocator, bytes, {options.threads, options.seconds}, cuda_calls_made);
      rate.values.push_back(same.pairs / same.seconds);
      cost.values.push_back(same.nanoseconds);
      calls.values.push_back(1000 * same.counted / same.pairs);
    }
    rows.insert(rows.end(), {rate, cost, calls});
    options.report_done(static_cast<double>(rows.size()) / 12);
  }
  return rows;
}

}  // namespace heddle::cli
