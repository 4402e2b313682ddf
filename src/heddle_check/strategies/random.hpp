// Draws: the source of randomness for random strategies; Random: its generator.
//
// An interface, because a strategy's exact probability of an execution is computed by giving it every possible sequence
// of draws (tests/check/every_draw.hpp), with the strategy itself unchanged.
#pragma once

#include <cstdint>
#include <memory>

namespace heddle_check {

class Draws {
 public:
  Draws() = default;
  virtual ~Draws() = default;
  Draws(const Draws&) = delete;
  Draws& operator=(const Draws&) = delete;

  // Uniformly one of 0 .. bound-1; `bound` is at least 1 and at most 2^32 - 1.
  virtual std::uint32_t below(std::uint32_t bound) = 0;
  virtual bool with_probability(double p) = 0;
  // A value from a continuous distribution: independent of the others, never equal to one, good only for comparing.
  virtual std::uint64_t priority() = 0;
};

// splitmix64: small, and good for every seed.
class Random final : public Draws {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // The bias is below 2^-32.
  std::uint32_t below(std::uint32_t bound) noexcept override {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }
  bool with_probability(double p) noexcept override { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }
  std::uint64_t priority() noexcept override { return next(); }

 private:
  std::uint64_t state_;
};

inline std::unique_ptr<Draws> draws_of(std::uint64_t seed) { return std::make_unique<Random>(seed); }

}  // namespace heddle_check
