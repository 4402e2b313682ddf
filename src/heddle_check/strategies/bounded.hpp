// Bounded: every schedule with at most c preemptions, for c = 0, 1, 2, ... up to a bound.
//
// A preemption is a switch away from a thread that could have continued and did not yield. There is no reduction, which
// keeps the claim simple: "all schedules with at most c preemptions, with all other choices". Each bound is searched
// anew: its executions include those of the bounds below it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/strategy.hpp"

namespace heddle_check {

class Bounded final : public Strategy {
 public:
  explicit Bounded(int most) : most_(most) {}

  std::string name() const override { return "bounded"; }
  bool begin() override;
  std::uint32_t choose(const Choice& choice) override;
  void end(const Outcome& outcome) override;
  int bound() const override { return completed_; }
  // Of the bound that was completed last.
  std::uint64_t executions_at_bound() const noexcept { return executions_completed_; }

 private:
  struct Node {
    std::uint8_t options, present;
    bool preempts;  // every option but 0 is a preemption
  };

  const int most_;
  int current_ = 0;     // the bound being searched
  int completed_ = -1;  // the last bound that was exhausted
  bool cut_ = false;    // a preemption was left out because of the bound
  bool done_ = false;
  int used_ = 0;
  std::uint64_t executions_ = 0;
  std::uint64_t executions_completed_ = 0;
  std::vector<Node> path_;
  std::size_t depth_ = 0;
};

}  // namespace heddle_check
