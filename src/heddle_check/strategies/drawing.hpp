// Drawing: a strategy that watches every operation and draws: which thread continues, in its own way; all other answers
// uniformly.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "heddle_check/strategies/random.hpp"
#include "heddle_check/strategy.hpp"

namespace heddle_check {

class Drawing : public Strategy {
 public:
  bool observes() const override { return true; }
  std::uint32_t choose(const Choice& choice) final {
    return choice.kind == ChoiceKind::kThread ? choose_thread(choice) : draws_->below(choice.options);
  }

 protected:
  explicit Drawing(std::unique_ptr<Draws> draws) : draws_(std::move(draws)) {}
  virtual std::uint32_t choose_thread(const Choice& choice) = 0;

  const std::unique_ptr<Draws> draws_;
};

}  // namespace heddle_check
