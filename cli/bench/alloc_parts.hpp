// The parts of `heddle bench alloc` beside the patterns that are compared with malloc.
#pragma once

#include "cli/bench/bench.hpp"

namespace heddle::cli {

// How much memory is reserved for blocks of random sizes, beside a best-fit reference with perfect coalescing. Sizes as
// in RMM's random_allocations: uniform from 1 byte, 73 % of the steps allocate, a cap on what is live. Nothing is timed
// and no memory is touched: the page source only counts.
BenchRows bench_alloc_random();

// How much memory a long run holds. For options.seconds.
BenchRows bench_alloc_soak(const BenchOptions& options);

// Pattern `same` on the device that options.runtime names, for options.seconds a measurement; no peers.
BenchRows bench_alloc_device(const BenchOptions& options);

}  // namespace heddle::cli
