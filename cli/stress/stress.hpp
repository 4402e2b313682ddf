// The stress workload: threads that run randn, matmul and sum through streams of their own, timed and then verified.
//
// Thread t draws from Generator(seed, t); its iteration i uses blocks i * ceil(size^2 / 4) on. Each thread synchronizes
// every `sync_every` iterations and reads its sums. What is verified is compared after the clock has stopped, or, where
// a run of --seconds checks every sum, as it goes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "heddle/heddle.hpp"

namespace heddle::cli {

enum class Check : unsigned char { kSampled, kFull, kOff };

// A fault that thread 0 plants in each of its iterations; the check must find it.
enum class Inject : unsigned char {
  kNone,
  kStale,    // sums the product of the round before
  kSwap,     // draws from the next thread's generator
  kElement,  // one entry of the product is off by 1
  kRow,      // one row of the product is zero
};

struct StressOptions {
  Options runtime;
  std::uint32_t threads = 32;
  std::uint64_t iterations = 400;  // of each thread; ignored when `seconds` is set
  std::uint64_t sync_every = 40;
  std::uint64_t size = 256;
  Check check = Check::kSampled;
  Inject inject = Inject::kNone;
  std::uint64_t seed = 0;
  double seconds = 0;               // above 0: run that long instead of `iterations`
  std::uint32_t warmup_rounds = 0;  // lists of `sync_every` iterations before the clock starts
  bool check_as_it_goes = false;    // each thread compares its sums after each list, within the time that is measured
};

struct StressResult {
  std::string device;
  std::string device_name;
  std::string kernels;
  bool shared_streams = false;  // fewer streams than threads
  std::uint64_t total_iterations = 0;
  std::uint64_t warmup_iterations = 0;  // of each thread
  double seconds = 0;
  double cpu_seconds = 0;
  std::uint64_t executed_randn = 0, executed_matmul = 0, executed_sum = 0;
  std::uint64_t checked = 0;
  std::uint64_t unchecked_lists = 0;  // beyond the bound on kept sums
  std::uint64_t unchecked_sums = 0;   // kept, and no time was left to compare them
  std::uint64_t errors = 0;           // sums that differ, and exceptions
  std::vector<std::string> first_errors;
  double tolerance = 0;
  MemoryStatistics memory;
  bool pass = false;  // no error, and every iteration was executed

  double iterations_per_second() const { return static_cast<double>(total_iterations) / seconds; }
  double cpu_seconds_per_million() const { return cpu_seconds / static_cast<double>(total_iterations) * 1e6; }
};

// Throws InvalidArgument when the memory limit holds not even one tensor, OutOfMemory when it does not hold the run,
// and what the threads threw before the clock started. Later exceptions count as errors.
StressResult run_stress(const StressOptions& options);

// Processor time that this process has used, user and system, of all its threads.
double process_cpu_seconds();

}  // namespace heddle::cli
