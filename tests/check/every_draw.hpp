// EveryDraw: gives a strategy every possible sequence of draws, one execution each, with its probability.
//
// So the probability that the strategy hits a failure is exact: the sum over the failing executions. A draw from a
// continuous distribution matters only by comparison: a new value falls with equal probability into each gap between
// the earlier values of the same execution (including those no longer in use).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "heddle_check/strategies/random.hpp"

namespace heddle_check {

class EveryDraw final : public Draws {
 public:
  std::uint32_t below(std::uint32_t bound) override { return next({bound, 0, 1.0 / bound, 1.0 / bound}); }
  bool with_probability(double p) override { return next({2, 0, 1 - p, p}) == 1; }
  std::uint64_t priority() override {
    const std::size_t gap = below(static_cast<std::uint32_t>(drawn_.size() + 1));
    const std::uint64_t low = gap == 0 ? 0 : drawn_[gap - 1];
    const std::uint64_t high = gap == drawn_.size() ? ~std::uint64_t{0} : drawn_[gap];
    const std::uint64_t value = low + (high - low) / 2;
    drawn_.insert(drawn_.begin() + static_cast<std::ptrdiff_t>(gap), value);
    return value;
  }

  // Of the draws in the execution that ended.
  double probability() const {
    double product = 1;
    for (std::size_t i = 0; i < depth_; ++i) product *= path_[i].present == 0 ? path_[i].first : path_[i].other;
    return product;
  }
  // Advances to the next sequence; false if there is none.
  bool advance() {
    path_.resize(depth_);
    depth_ = 0;
    drawn_.clear();
    while (!path_.empty() && path_.back().present + 1 == path_.back().options) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().present;
    return true;
  }

 private:
  struct Node {
    std::uint32_t options, present;
    double first, other;  // probabilities of answer 0, and of each other answer
  };
  std::uint32_t next(const Node& fresh) {
    if (depth_ == path_.size()) path_.push_back(fresh);
    return path_[depth_++].present;
  }

  std::vector<Node> path_;
  std::size_t depth_ = 0;
  std::vector<std::uint64_t> drawn_;  // sorted
};

}  // namespace heddle_check
