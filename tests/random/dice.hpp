// Dice: the decisions of a random program. Each step of each thread has its own, made from the seed alone, so a step's
// draws depend neither on timing nor on earlier steps: a program with fewer steps is a part of the longer one.
#pragma once

#include <cstdint>

namespace heddle::programs {

class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t thread, std::uint64_t step) : state_(mix(mix(mix(seed) + thread) + step)) {}
  explicit Dice(std::uint64_t seed) : Dice(seed, 1'000'000, 0) {}

  std::uint64_t draw() { return mix(state_ += 0x9E3779B97F4A7C15U); }
  std::uint64_t below(std::uint64_t end) { return draw() % end; }
  std::int64_t between(std::int64_t first, std::int64_t last) {
    return first + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(last - first + 1)));
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  // SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
  static std::uint64_t mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9U;
    x = (x ^ x >> 27) * 0x94D049BB133111EBU;
    return x ^ x >> 31;
  }
  std::uint64_t state_;
};

}  // namespace heddle::programs
