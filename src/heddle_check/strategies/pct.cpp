#include "heddle_check/strategies/pct.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace heddle_check {

namespace {
// The reciprocal of the lowest probability, n * k^(d-1).
double executions_per_hit(std::uint32_t parties, std::uint32_t points, std::uint32_t depth) noexcept {
  return std::max(2.0, parties * std::pow(points, static_cast<double>(depth) - 1));
}
}  // namespace

double pct_executions_for_99(std::uint32_t parties, std::uint32_t points, std::uint32_t depth) noexcept {
  return std::ceil(std::log(0.01) / std::log1p(-1 / executions_per_hit(parties, points, depth)));
}

Pct::Pct(std::uint32_t depth, std::uint64_t seed, std::uint32_t points) : Pct(depth, draws_of(seed), points) {}

Pct::Pct(std::uint32_t depth, std::unique_ptr<Draws> draws, std::uint32_t points)
    : Drawing(std::move(draws)), depth_(std::max(depth, 1u)), points_(points) {}

bool Pct::begin() {
  changes_.clear();
  if (points_ != 0) {
    for (std::uint32_t rank = 1; rank < depth_; ++rank) changes_.push_back({1 + draws_->below(points_), rank});
    std::sort(changes_.begin(), changes_.end(),
              [](const Change& a, const Change& b) { return std::pair(a.point, a.rank) < std::pair(b.point, b.rank); });
  }
  next_change_ = 0;
  priorities_.fill(0);
  met_ = 0;
  return true;
}

std::uint64_t Pct::priority_of(Party party) {
  std::uint64_t& priority = priorities_[party];
  if (priority == 0) priority = draws_->priority() >> 1 | std::uint64_t{1} << 63;
  return priority;
}

std::uint32_t Pct::choose_thread(const Choice& choice) {
  while (true) {
    std::uint32_t best = 0;
    std::uint64_t highest = 0;
    for (std::uint32_t i = 0; i < choice.options; ++i) {
      const std::uint64_t priority = priority_of(party_of(choice.threads[i], choice.view));
      if (priority > highest) {
        highest = priority;
        best = i;
      }
    }
    if (!change_is_due(choice.view)) return best;
    lower(party_of(choice.threads[best], choice.view));
  }
}

// If only one thread could continue, no question was asked, and the change is still due.
void Pct::observe(ThreadId thread, const View& view) {
  met_ |= std::uint64_t{1} << party_of(thread, view);
  while (change_is_due(view)) lower(party_of(thread, view));
}

void Pct::end(const Outcome& outcome) {
  executions_ = outcome.points > points_ ? 0 : executions_ + 1;
  points_ = std::max(points_, outcome.points);
  parties_ = std::max(parties_, static_cast<std::uint32_t>(std::popcount(met_)));
}

double Pct::confidence() const {
  if (points_ == 0) return 0;
  return -std::expm1(static_cast<double>(executions_) * std::log1p(-1 / executions_per_hit(parties_, points_, depth_)));
}

std::string Pct::summary() const {
  const double needed = pct_executions_for_99(parties_, points_, depth_);
  const auto made = static_cast<double>(executions_);
  return fmt::format("depth {} at n={}, k={}: {:.0f} executions give 99 %, {} count: {}", depth_, parties_, points_,
                     needed, executions_,
                     made >= needed ? "reached" : fmt::format("{:.1f} %, not reached", 100 * confidence()));
}

}  // namespace heddle_check
