// Pct: probabilistic concurrency testing (S. Burckhardt, P. Kothari, M. Musuvathi, S. Nagarakatte, ASPLOS 2010).
//
// Each party (strategies/party.hpp) gets a random priority when it appears, and the highest enabled one continues. At
// d-1 points drawn from the execution, the party that is about to continue drops below all others. A bug of depth d (d
// ordering constraints suffice for it) in an execution of n parties and k points is hit with a probability of at least
// 1 / (n * k^(d-1)), whatever the program. Other questions are answered uniformly: the bound is for given answers to
// them.
//
// k is not known in advance: the longest execution so far replaces it, and the first execution gives a first value.
// Only executions since k last grew count for the claim, because earlier ones could not change priorities beyond it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heddle_check/strategies/drawing.hpp"
#include "heddle_check/strategies/party.hpp"

namespace heddle_check {

// How many executions hit a bug of depth `depth` with a probability of 99 %: about 4.6 * n * k^(d-1).
double pct_executions_for_99(std::uint32_t parties, std::uint32_t points, std::uint32_t depth) noexcept;

class Pct final : public Drawing {
 public:
  static constexpr int kDepth = 3;  // the default

  // `depth`: at least 1. `points`: k, if it is known; 0: measured.
  Pct(std::uint32_t depth, std::uint64_t seed, std::uint32_t points = 0);
  Pct(std::uint32_t depth, std::unique_ptr<Draws> draws, std::uint32_t points);

  std::string name() const override { return "pct"; }
  bool begin() override;
  void observe(ThreadId thread, const View& view) override;
  void end(const Outcome& outcome) override;
  // 1 - (1 - 1 / (n * k^(d-1)))^(executions that count).
  double confidence() const override;
  // The claim: n, k, d, the executions that give 99 % for them, the executions that count, and their confidence.
  std::string summary() const override;

 private:
  std::uint32_t choose_thread(const Choice& choice) override;
  // The drop to place `rank` of the d-1 below all drawn priorities, at one point, by the party about to continue there.
  // Ranks and points are drawn independently: of two dropped parties, either may be the lower one.
  struct Change {
    std::uint32_t point;
    std::uint32_t rank;
  };
  bool change_is_due(const View& view) const noexcept {
    return next_change_ < changes_.size() && changes_[next_change_].point <= view.point;
  }
  std::uint64_t priority_of(Party party);
  void lower(Party party) { priorities_[party] = changes_[next_change_++].rank; }

  const std::uint32_t depth_;
  std::uint32_t points_;          // k
  std::uint32_t parties_ = 1;     // n: the most that one execution had
  std::uint64_t executions_ = 0;  // drawn with the present k
  std::vector<Change> changes_;   // by point
  std::size_t next_change_ = 0;
  std::array<std::uint64_t, kMaxParties> priorities_{};  // 0: not drawn yet
  std::uint64_t met_ = 0;                                // parties that performed an operation, one bit each
};

}  // namespace heddle_check
