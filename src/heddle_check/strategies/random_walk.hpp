// RandomWalk: at each point the running thread continues, except with a given probability, at which the next thread is
// drawn uniformly from all enabled ones (including the running one). Every other question is answered uniformly.
//
// Probability 1 is the plain uniform walk. Smaller ones reach executions with few switches in long programs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "heddle_check/strategies/random.hpp"
#include "heddle_check/strategy.hpp"

namespace heddle_check {

class RandomWalk final : public Strategy {
 public:
  RandomWalk(double draw_probability, std::uint64_t seed) : RandomWalk(draw_probability, draws_of(seed)) {}
  RandomWalk(double draw_probability, std::unique_ptr<Draws> draws)
      : draws_anew_(draw_probability), draws_(std::move(draws)) {}

  std::string name() const override { return "walk"; }
  bool begin() override { return true; }
  std::uint32_t choose(const Choice& choice) override {
    if (choice.may_stay && !draws_->with_probability(draws_anew_)) return 0;
    return draws_->below(choice.options);
  }

 private:
  const double draws_anew_;
  const std::unique_ptr<Draws> draws_;
};

}  // namespace heddle_check
