// RandomWalk: at each point the running thread goes on, except with a given probability, where a thread is drawn
// uniformly from the others. Every other question is answered uniformly.
#pragma once

#include <cstdint>
#include <string>

#include "heddle_check/strategy.hpp"

namespace heddle_check {

// splitmix64: small, and every seed is a good one.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // Below `bound`, at most 2^32; the bias is below 2^-32.
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }
  bool with_probability(double p) noexcept { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }

 private:
  std::uint64_t state_;
};

class RandomWalk final : public Strategy {
 public:
  RandomWalk(double switch_probability, std::uint64_t seed) : switches_(switch_probability), random_(seed) {}

  std::string name() const override { return "walk"; }
  bool begin() override { return true; }
  std::uint32_t choose(const Choice& choice) override {
    if (!choice.may_stay) return random_.below(choice.options);
    if (!random_.with_probability(switches_)) return 0;
    return 1 + random_.below(choice.options - 1);
  }

 private:
  const double switches_;
  Random random_;
};

}  // namespace heddle_check
