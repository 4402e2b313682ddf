// The `random` pattern of `heddle bench alloc`: how much memory is reserved for blocks of random sizes, beside a
// best-fit reference with perfect coalescing. Sizes as in RMM's random_allocations: uniform from 1 byte, 73 % of the
// steps allocate, a cap on what is live. Nothing is timed and no memory is touched: the page source only counts.
#pragma once

#include "cli/bench.hpp"

namespace heddle::cli {

BenchRows bench_alloc_random();

}  // namespace heddle::cli
