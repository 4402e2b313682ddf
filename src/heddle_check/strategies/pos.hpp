// Pos: partial order sampling (X. Yuan, J. Yang, R. Gu, CAV 2018).
//
// Each pending operation has a random priority, and the highest enabled one is performed. Then its thread's next
// operation gets a new priority, and so does every pending operation that depends on it (dependent() in
// core/operation.hpp). So POS samples partial orders, not schedules: independent operations dilute nothing. Other
// questions are answered uniformly.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "heddle_check/strategies/drawing.hpp"
#include "heddle_check/strategies/party.hpp"

namespace heddle_check {

class Pos final : public Drawing {
 public:
  explicit Pos(std::uint64_t seed) : Pos(draws_of(seed)) {}
  explicit Pos(std::unique_ptr<Draws> draws) : Drawing(std::move(draws)) {}

  std::string name() const override { return "pos"; }
  bool begin() override;
  void observe(ThreadId thread, const View& view) override;

 private:
  std::uint32_t choose_thread(const Choice& choice) override;
  std::array<std::uint64_t, kMaxParties> priorities_{};  // of their pending operations; 0: not drawn yet
};

}  // namespace heddle_check
