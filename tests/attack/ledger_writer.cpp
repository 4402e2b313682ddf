// ledger_writer FOLDER RESULT...: writes a ledger as heddle verify does, one round for each of clean, failed, void,
// unfinished.
#include <cstring>
#include <filesystem>
#include <string>

#include "cli/ledger/ledger.hpp"
#include "cli/verify/verify.hpp"

int main(int count, char** arguments) {
  using namespace heddle::cli;
  if (count < 2) return 2;
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  const Ledger ledger(ledger_path(folder));
  for (int i = 2; i < count; ++i) {
    const RoundClaim claim = ledger.begin({}, "abcdef012345", "cpu");
    const std::string result = arguments[i];
    if (result == "unfinished") continue;
    RoundOutcome outcome;
    outcome.state = result == "clean" ? RoundState::kClean : result == "void" ? RoundState::kVoid : RoundState::kFailed;
    outcome.executions = 1000 + static_cast<std::uint64_t>(i);
    outcome.seconds = 12.5;
    if (result != "clean") outcome.reason = "attempt 1: a reason";
    ledger.end(claim, outcome);
  }
  return 0;
}
