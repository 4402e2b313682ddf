// Makes a failing execution small, so that a person can read it.
//
// First by leaving out preemptions and unusual answers (stale reads, failures, waiters), as long as the execution still
// fails in the same way (delta debugging, A. Zeller and R. Hildebrandt, 2002). Then by a search from 0 preemptions up
// to one less than are left: if that finds the failure, it is made small in turn; if it comes to its end, the number of
// preemptions is known to be the smallest. At last the execution is repeated, to see that it is stable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/decisions.hpp"
#include "heddle_check/failure.hpp"
#include "heddle_check/scenario.hpp"

namespace heddle_check {

struct MinimiseOptions {
  std::uint64_t search_executions = 200'000;  // most, to look for fewer preemptions
  std::uint32_t replays = 100;
};

struct Minimised {
  Failure failure;
  DecisionList decisions;
  std::uint64_t trace_hash = 0;
  std::string trace;
  std::vector<std::string> story;  // a line for each preemption and each unusual answer that is left
  std::uint32_t preemptions_before = 0;
  std::uint32_t preemptions = 0;
  bool smallest = false;  // no execution with fewer preemptions fails in this way
  std::uint64_t executions = 0;
  std::uint32_t replays = 0;
  std::uint32_t replays_same = 0;  // of those: the same hash and failure
};

// What two failures share that are one for people: the kind, and the text without names of threads and objects' numbers
// (for deadlocks and the like the kind alone).
std::string signature_of(const Failure& failure);

// Throws std::invalid_argument when the decisions, run once in a fresh explorer, do not fail, or do not fit.
Minimised minimise(const Scenario& scenario, const DecisionList& decisions, const MinimiseOptions& options = {});

// What happened, in a few lines.
std::string story_of(const Scenario& scenario, const Minimised& minimised);

// A test in C++ that fails as long as this execution does, to be put beside the scenario. `scenario_expression` gives
// the scenario there, `pool_scenario()` for one.
std::string test_stub(const Scenario& scenario, const Minimised& minimised, const std::string& scenario_expression);

}  // namespace heddle_check
