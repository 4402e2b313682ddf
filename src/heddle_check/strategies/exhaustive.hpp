// Exhaustive: depth-first search over all decisions, with sleep sets.
//
// Two executions that differ only in the order of independent operations (dependent() in core/operation.hpp) are one. A
// sleep set (P. Godefroid, 1996) keeps the threads whose next operation was already explored from this point, as long
// as nothing dependent has followed. Every order of dependent operations is explored exactly once. Executions that turn
// out to repeat others run to their end and count as redundant.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/strategy.hpp"

namespace heddle_check {

class Exhaustive final : public Strategy {
 public:
  enum class Reduction : std::uint8_t { kSleepSets, kNone };
  explicit Exhaustive(Reduction reduction = Reduction::kSleepSets) : sleeps_(reduction == Reduction::kSleepSets) {}

  std::string name() const override { return sleeps_ ? "exhaustive" : "exhaustive without reduction"; }
  bool begin() override;
  std::uint32_t choose(const Choice& choice) override;
  bool observes() const override { return sleeps_; }
  void observe(ThreadId thread, const View& view) override;
  void end(const Outcome& outcome) override;
  bool redundant() const override { return redundant_; }

 private:
  struct Node {
    bool of_threads;
    ThreadMask asleep;              // when it was reached
    ThreadMask open;                // thread choices: options not explored yet, without the present one
    ThreadMask done;                // thread choices: options explored
    ThreadId thread;                // thread choices: the present option
    std::uint8_t options, present;  // other choices
  };
  std::uint32_t choose_thread(const Choice& choice);

  const bool sleeps_;
  std::vector<Node> path_;
  std::size_t depth_ = 0;
  ThreadMask asleep_ = 0;
  bool redundant_ = false;
  bool started_ = false;
};

}  // namespace heddle_check
