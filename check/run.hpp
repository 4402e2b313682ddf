// Running scenarios and telling what came of it, for people and as JSON.
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
  std::string strategy;  // empty: those of each scenario; "portfolio", or what parse_strategy() reads
  int bound = -1;
  std::uint64_t seed = 1;
  std::uint64_t executions = 0;  // 0: as the scenario says
  double seconds = 0;            // for all of them together; 0: as many as the executions take
  std::string plant;
  bool real_threads = false;
  unsigned processes = 1;  // of a portfolio
  bool json = false;
};

// What was run and what came of it: one line of the output, one object of "results".
struct Row {
  heddle_check::Scenario scenario;
  heddle_check::StrategySpec strategy;
  heddle_check::Result result;
  std::string decisions;  // of a failure: the string that replays it
};

// Exit codes. Throw std::invalid_argument for what the user got wrong.
int list(bool json);
int run(const RunOptions& options, const std::string& program);
int replay(const std::string& decisions, bool json);
// Prints the smallest execution that fails as this one does, what happens in it, and a test of it. kExitFail, as it
// fails.
int minimise(const std::string& decisions);

// Output: one header, one line a row, the failure below it; or one JSON document.
void print_header();
void print_row(const Row& row, const std::string& program);
std::string to_json(const std::vector<Row>& rows);

}  // namespace heddle::check
