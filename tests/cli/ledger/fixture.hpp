// A ledger in a separate folder, which is removed with the test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "cli/ledger/ledger.hpp"

namespace heddle::test {

class LedgerFixture : public ::testing::Test {
 protected:
  LedgerFixture() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~LedgerFixture() override { std::filesystem::remove_all(folder_); }

  std::string text() const {
    std::ifstream stream(path_);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  void round(cli::RoundState state, const std::string& reason = "") const {
    const cli::RoundClaim claim = ledger_.begin(std::nullopt, "one", "cpu");
    ledger_.end(claim, {state, 10, 1.5, reason, "round.md"});
  }
  CommandResult show(const std::string& arguments = "") const {
    return run_heddle("ledger --out '" + folder_.string() + "' " + arguments);
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("heddle_ledger_" + std::to_string(::getpid()));
  const std::string path_ = folder_ / "ledger.jsonl";
  const cli::Ledger ledger_{path_};
};

}  // namespace heddle::test
