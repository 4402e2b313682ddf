// Makes a failing execution small enough for a person to read.
//
// First it leaves out preemptions and unusual answers (stale reads, failures, waiters), as long as the execution still
// fails in the same way (delta debugging, A. Zeller and R. Hildebrandt, 2002). Then it searches from 0 preemptions up
// to one less than are left. If that finds the failure, it is made small in turn; if the search ends without it, the
// number of preemptions is proven minimal. Finally it repeats the execution to check that it is stable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/decisions.hpp"
#include "heddle_check/failure.hpp"
#include "heddle_check/scenario.hpp"

namespace heddle_check {

struct MinimiseOptions {
  std::uint64_t search_executions = 200'000;  // at most, in the search for fewer preemptions
  std::uint32_t replays = 100;
};

struct Minimised {
  Failure failure;
  DecisionList decisions;
  std::uint64_t trace_hash = 0;
  std::string trace;
  std::vector<std::string> story;  // one line for each remaining preemption and unusual answer
  std::uint32_t preemptions_before = 0;
  std::uint32_t preemptions = 0;
  bool smallest = false;  // no execution with fewer preemptions fails in this way
  std::uint64_t executions = 0;
  std::uint32_t replays = 0;
  std::uint32_t replays_same = 0;  // with the same hash and failure
};

// Equal for failures that are the same to a reader: the kind, and the text without thread names and object numbers (for
// deadlocks and the like, only the kind).
std::string signature_of(const Failure& failure);

// Throws std::invalid_argument if the decisions, run once in a new explorer, do not fail or do not fit.
Minimised minimise(const Scenario& scenario, const DecisionList& decisions, const MinimiseOptions& options = {});

// The failing execution in a few lines.
std::string story_of(const Scenario& scenario, const Minimised& minimised);

// A C++ test that fails as long as this execution does, to be added next to the scenario. `scenario_expression`
// constructs the scenario there, for example `pool_scenario()`.
std::string test_stub(const Scenario& scenario, const Minimised& minimised, const std::string& scenario_expression);

}  // namespace heddle_check
