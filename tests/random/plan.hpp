// Plan: the size of a random program, the options of its runtimes, and the kinds of trouble in it.
//
// Made only from the seed and the device; a shorter program (Cut) makes the same decisions in the part that it keeps.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "heddle/heddle.hpp"

namespace heddle::programs {

// The parts left out of a program, to find the failing part; and whether it prints its steps.
struct Cut {
  int threads = 1000;     // only the first ones
  int from = 0;           // earlier steps are left out, on every thread
  int steps = 1'000'000;  // only the first ones of each thread
  bool tells = false;     // each step prints a line to stderr
};

struct Plan {
  std::uint64_t seed = 0;
  std::string device;
  Cut cut;
  int threads = 2;
  int steps = 0;              // per thread
  bool in_turns = false;      // an even seed: threads take turns in an order that the seed decides
  bool limited = false;       // memory is near the program's need: OutOfMemory is possible
  bool scarce = false;        // more threads than streams: PoolExhausted is possible
  bool full_lines = false;    // few pending handlers are allowed: a registration may be refused
  bool half = false;          // float16 and bfloat16 too
  bool fails = false;         // some custom operations throw
  bool hurried = false;       // the shutdown has milliseconds: work may be abandoned
  int shutdown_step = -1;     // of the first thread; -1: at the end
  std::vector<Shape> shapes;  // most tensors have one of these
  std::vector<Options> runtimes;

  bool computes() const { return device != "sim"; }
  bool is_cuda() const { return device.rfind("cuda", 0) == 0; }
  // Lists end only where the program ends them.
  bool lists_are_ours(std::size_t runtime) const {
    const Limits& limits = runtimes[runtime].limits;
    return in_turns && !limited && !scarce && limits.list_commands_max >= 512 &&
           limits.list_bytes_max >= (std::size_t{1} << 20) && all_small();
  }
  bool all_small() const;
  // Human-readable.
  std::string text() const;
  // The command that repeats it.
  std::string command(int times) const;
};

Plan make_plan(std::uint64_t seed, const std::string& device, const Cut& cut = {});

}  // namespace heddle::programs
