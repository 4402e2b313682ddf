// Linearizability of small histories: can overlapping calls have taken effect one by one, each at a moment between its
// start and its end, so that a sequential model gives the same results?
//
//   CallHistory<Op, int> history;
//   const auto call = history.start(Op::pop());      // on any thread of the execution
//   history.finish(call, stack.pop());
//   ...
//   require(history.linearizable(Model{}, [](Model& model, const Op& op) { return model.apply(op); }), "...");
//
// The search of J. Wing and C. Gong (1993) with a memory of visited states (G. Lowe, 2017). At most kMostCalls calls. A
// call that never ended may have taken effect, with any result, or not. The model's state needs operator==. Noting a
// call is not a visible operation. Thread safety: like the execution's, which runs one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace heddle_check {

template <class Operation, class Outcome>
class CallHistory {
 public:
  static constexpr std::size_t kMostCalls = 12;
  using CallId = std::size_t;

  // Throws std::length_error beyond kMostCalls: the search would take too long.
  CallId start(Operation operation) {
    if (calls_.size() == kMostCalls) throw std::length_error("a history holds at most 12 calls");
    calls_.push_back({std::move(operation), std::nullopt, ++time_, kNever});
    return calls_.size() - 1;
  }
  void finish(CallId call, Outcome outcome) {
    calls_[call].outcome = std::move(outcome);
    calls_[call].end = ++time_;
  }
  std::size_t size() const noexcept { return calls_.size(); }

  // `apply(state, operation)` performs the operation on the model and returns its outcome.
  template <class State, class Apply>
  bool linearizable(State initial, Apply apply) const {
    std::vector<std::vector<State>> failed(std::size_t{1} << calls_.size());
    return search(0, initial, apply, failed);
  }

 private:
  static constexpr std::uint32_t kNever = 0xFFFFFFFF;
  struct Call {
    Operation operation;
    std::optional<Outcome> outcome;
    std::uint32_t start, end;
  };

  // True if the calls that are not in `done` can follow in some order, from `state`.
  template <class State, class Apply>
  bool search(std::size_t done, const State& state, Apply& apply, std::vector<std::vector<State>>& failed) const {
    // The next call must have started before any other remaining call ended.
    std::uint32_t first_end = kNever;
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      if ((done >> i & 1) == 0 && calls_[i].end < first_end) first_end = calls_[i].end;
    }
    if (first_end == kNever) return true;  // only calls that never ended are left
    for (const State& known : failed[done]) {
      if (known == state) return false;
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const Call& call = calls_[i];
      if ((done >> i & 1) != 0 || call.start > first_end) continue;
      State after = state;
      const Outcome outcome = apply(after, call.operation);
      if (call.outcome.has_value() && !(*call.outcome == outcome)) continue;
      if (search(done | std::size_t{1} << i, after, apply, failed)) return true;
    }
    failed[done].push_back(state);
    return false;
  }

  std::vector<Call> calls_;
  std::uint32_t time_ = 0;
};

}  // namespace heddle_check
