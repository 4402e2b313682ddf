// Runs scenarios and reports the results, as text and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/explorer.hpp"
#include "heddle_check/scenario.hpp"

namespace heddle::check {

inline constexpr int kExitPass = 0;
inline constexpr int kExitFail = 1;
inline constexpr int kExitBadInput = 2;

struct RunOptions {
  std::vector<std::string> scenarios;
  bool all = false;
  std::string group;
  std::string strategy;  // empty: those of each scenario; "portfolio", or input of parse_strategy()
  int bound = -1;
  std::uint64_t seed = 1;
  std::uint64_t executions = 0;  // 0: the scenario's own limit
  double seconds = 0;            // for all of them together; 0: no limit
  std::string plant;
  bool real_threads = false;
  unsigned processes = 1;  // for a portfolio
  bool json = false;
};

// A strategy's run and its result: one line of the output, one object in "results".
struct Row {
  heddle_check::Scenario scenario;
  heddle_check::StrategySpec strategy;
  heddle_check::Result result;
  std::string decisions;  // of a failure: replays it
};

// Return exit codes. Throw std::invalid_argument for bad input.
int list(bool json);
int run(const RunOptions& options, const std::string& program);
int replay(const std::string& decisions, bool json);
// Prints the smallest execution that fails in the same way, its steps, and a test that repeats it. Returns kExitFail,
// because it fails.
int minimise(const std::string& decisions);

// Output: one header, one line per row, with a failure below it; or one JSON document.
void print_header();
void print_row(const Row& row, const std::string& program);
std::string to_json(const std::vector<Row>& rows);

}  // namespace heddle::check
