// Plan: what one random program is: its size, its runtimes' options, and which kinds of trouble it has.
//
// Made of the seed, the device and nothing else; a shorter program (Cut) takes the same decisions in what it keeps.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "heddle/heddle.hpp"

namespace heddle::programs {

// What is left out of a program, to find the part of it that fails; and whether it tells what it does.
struct Cut {
  int threads = 1000;     // the first so many
  int from = 0;           // steps before this one are left out, on every thread
  int steps = 1'000'000;  // of each thread, the first so many
  bool tells = false;     // each step writes a line to stderr
};

struct Plan {
  std::uint64_t seed = 0;
  std::string device;
  Cut cut;
  int threads = 2;
  int steps = 0;              // of each thread
  bool in_turns = false;      // an even seed: threads take turns in an order that the seed decides
  bool limited = false;       // memory is near what the program needs: OutOfMemory may come
  bool scarce = false;        // more threads than streams: PoolExhausted may come
  bool full_lines = false;    // few handlers are allowed at once: a registration may be refused
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
  // For people.
  std::string text() const;
  // How to run it again.
  std::string command(int times) const;
};

Plan make_plan(std::uint64_t seed, const std::string& device, const Cut& cut = {});

}  // namespace heddle::programs
