// Replay: gives the answers of a recorded execution. An answer that does not fit, is missing, or is left over is a
// divergence.
#pragma once

#include <string>

#include "heddle_check/decisions.hpp"
#include "heddle_check/strategy.hpp"

namespace heddle_check {

class Replay final : public Strategy {
 public:
  // `decisions` must outlive this object.
  explicit Replay(const DecisionList& decisions) : decisions_(decisions) {}

  std::string name() const override { return "replay"; }
  bool begin() override {
    next_ = 0;
    return true;
  }
  std::uint32_t choose(const Choice&) override {
    return next_ < decisions_.size() ? decisions_[next_++] : kNothingRecorded;
  }
  bool all_used() const noexcept { return next_ == decisions_.size(); }

 private:
  const DecisionList& decisions_;
  std::size_t next_ = 0;
};

}  // namespace heddle_check
