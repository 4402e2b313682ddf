// The patterns of `heddle bench alloc` that measure how much memory is held, not how long it takes.
#pragma once

#include "cli/bench.hpp"

namespace heddle::cli {

// How much memory is reserved for blocks of random sizes, beside a best-fit reference with perfect coalescing. Sizes as
// in RMM's random_allocations: uniform from 1 byte, 73 % of the steps allocate, a cap on what is live. Nothing is timed
// and no memory is touched: the page source only counts.
BenchRows bench_alloc_random();

// For options.seconds.
BenchRows bench_alloc_soak(const BenchOptions& options);

}  // namespace heddle::cli
