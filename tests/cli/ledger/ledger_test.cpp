// The ledger: numbers are taken once, whole lines survive anything, corruption is named and nothing is lost.
#include "cli/ledger/ledger.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "cli/command.hpp"
#include "cli/ledger/file.hpp"
#include "cli/ledger/picture.hpp"
#include "heddle/error.hpp"

namespace heddle::test {
namespace {

using cli::Ledger;
using cli::LedgerHistory;
using cli::LedgerRound;
using cli::RoundState;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~LedgerTest() override { std::filesystem::remove_all(folder_); }

  std::string text() const {
    std::ifstream stream(path_);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  void write(const std::string& text) const { std::ofstream(path_) << text; }
  void add_text(const std::string& text) const { std::ofstream(path_, std::ios::app) << text; }
  // A complete round.
  void round(RoundState state, const std::string& build = "one") const {
    const cli::RoundClaim claim = ledger_.begin(std::nullopt, build, "cpu");
    ledger_.end(claim, {state, 10, 1.5, "", "report.md"});
  }
  std::size_t clean(bool of_one_build = true) const { return clean_in_a_row(ledger_.read(), of_one_build); }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("heddle_ledger_" + std::to_string(::getpid()));
  const std::string path_ = folder_ / "ledger.jsonl";
  const Ledger ledger_{path_};
};

TEST_F(LedgerTest, WhatIsNotThereHasNoRounds) {
  EXPECT_TRUE(ledger_.read().rounds.empty());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LedgerTest, KeepsWhatARoundLeaves) {
  {
    const cli::RoundClaim claim = ledger_.begin(std::nullopt, "abc", "cpu");
    EXPECT_EQ(claim.number(), 1U);
    ledger_.end(claim, {RoundState::kFailed, 12345, 2.5, "a \"reason\"\nof two lines", "round-0001.md"});
  }
  const LedgerHistory history = ledger_.read();
  ASSERT_EQ(history.rounds.size(), 1U);
  const LedgerRound& round = history.rounds[0];
  EXPECT_EQ(round.number, 1U);
  EXPECT_EQ(round.build_id, "abc");
  EXPECT_EQ(round.device, "cpu");
  EXPECT_EQ(round.begun.size(), std::string("2026-11-23T12:30:00Z").size());
  EXPECT_EQ(round.outcome.state, RoundState::kFailed);
  EXPECT_EQ(round.outcome.executions, 12345U);
  EXPECT_EQ(round.outcome.seconds, 2.5);
  EXPECT_EQ(round.outcome.reason, "a \"reason\"\nof two lines");
  EXPECT_EQ(round.outcome.report, "round-0001.md");
}

TEST_F(LedgerTest, CountsCleanRoundsInARow) {
  EXPECT_EQ(clean(), 0U);
  round(RoundState::kClean);
  round(RoundState::kClean);
  EXPECT_EQ(clean(), 2U);
  round(RoundState::kFailed);
  EXPECT_EQ(clean(), 0U);
  round(RoundState::kClean);
  EXPECT_EQ(clean(), 1U);
  round(RoundState::kVoid);
  EXPECT_EQ(clean(), 0U);
  round(RoundState::kClean);
  round(RoundState::kClean, "two");
  round(RoundState::kClean, "two");
  EXPECT_EQ(clean(true), 2U);
  EXPECT_EQ(clean(false), 3U);
}

TEST_F(LedgerTest, ARunningRoundDoesNotCountAndADroppedOneEndsTheRow) {
  round(RoundState::kClean);
  {
    const cli::RoundClaim claim = ledger_.begin(std::nullopt, "one", "cpu");
    EXPECT_EQ(ledger_.read().rounds[1].outcome.state, RoundState::kRunning);
    EXPECT_EQ(clean(), 1U);
  }
  EXPECT_EQ(ledger_.read().rounds[1].outcome.state, RoundState::kUnfinished);
  EXPECT_EQ(clean(), 0U);
}

TEST_F(LedgerTest, ANumberIsTakenOnce) {
  const cli::RoundClaim seventh = ledger_.begin(7, "one", "cpu");
  const std::string before = text();
  EXPECT_THROW(ledger_.begin(7, "one", "cpu"), InvalidArgument);
  EXPECT_EQ(text(), before);
  EXPECT_EQ(ledger_.begin(std::nullopt, "one", "cpu").number(), 8U);
  EXPECT_EQ(ledger_.begin(3, "one", "cpu").number(), 3U);
}

TEST_F(LedgerTest, ATornLineIsSurvivedAndReported) {
  round(RoundState::kClean);
  const std::string whole = text();
  const std::string last = whole.substr(whole.rfind('\n', whole.size() - 2) + 1);
  for (std::size_t cut = 1; cut + 1 < last.size(); ++cut) {  // at every place
    write(whole + last.substr(0, cut));
    LedgerHistory history = ledger_.read();
    EXPECT_EQ(history.torn_lines, (std::vector<std::size_t>{3})) << cut;
    EXPECT_EQ(history.rounds.size(), 1U);
    round(RoundState::kClean);
    history = ledger_.read();
    EXPECT_EQ(history.torn_lines, (std::vector<std::size_t>{3})) << cut;
    ASSERT_EQ(history.rounds.size(), 2U);
    EXPECT_EQ(history.rounds[1].outcome.state, RoundState::kClean);
    EXPECT_NE(text().find(last.substr(0, cut)), std::string::npos);  // nothing is lost
  }
}

// Twice in a row: the program that would have repaired the first torn line was cut off too.
TEST_F(LedgerTest, TwoTornLinesAreSurvived) {
  round(RoundState::kClean);
  write(text() + "{\"event\":\"beg\n{\"event\"");
  EXPECT_EQ(ledger_.read().torn_lines, (std::vector<std::size_t>{3, 4}));
  round(RoundState::kClean);
  EXPECT_EQ(ledger_.read().torn_lines, (std::vector<std::size_t>{3, 4}));
  EXPECT_EQ(ledger_.read().rounds.size(), 2U);
}

TEST_F(LedgerTest, ALineThatOnlyLacksItsEndIsAnEntry) {
  round(RoundState::kClean);
  std::string whole = text();
  whole.pop_back();
  write(whole);
  EXPECT_EQ(clean(), 1U);
  EXPECT_TRUE(ledger_.read().torn_lines.empty());
  round(RoundState::kClean);
  EXPECT_EQ(clean(), 2U);
  EXPECT_TRUE(ledger_.read().torn_lines.empty());
}

TEST_F(LedgerTest, CorruptionIsNamedAndNobodyAppends) {
  round(RoundState::kClean);
  const std::string good = text();
  const std::string begin = good.substr(0, good.find('\n') + 1);
  struct Case {
    std::string text;
    const char* said;
  };
  for (const Case& bad :
       {Case{"rubbish\n" + good, "line 1"}, Case{good + "rubbish\n", "line 3"}, Case{good + "{}\n", "line 3"},
        Case{good + "3\n", "line 3"}, Case{good + "\n", "line 3"}, Case{good + begin, "begins twice"},
        Case{good.substr(begin.size()), "without a begin"}, Case{good + good.substr(begin.size()), "ends twice"},
        Case{good + R"({"event":"pause","round":2})" + "\n", "pause"},
        Case{good + R"({"event":"begin","round":"two"})" + "\n", "line 3"},
        Case{good + R"({"event":"begin","round":-3})" + "\n", "allowed: 1 to 999999"},
        Case{good + R"({"event":"begin","round":1000000})" + "\n", "allowed: 1 to 999999"},
        Case{good + "torn {\n" + begin, "line 3"},
        Case{
            begin + R"({"event":"end","round":1,"build_id":"one","result":"clean","executions":-1,"seconds":1})" + "\n",
            "executions"},
        Case{begin + R"({"event":"end","round":1,"build_id":"one","result":"clean","executions":1,"seconds":-5e300})" +
                 "\n",
             "allowed: 0 to"}}) {
    write(bad.text);
    try {
      ledger_.begin(std::nullopt, "one", "cpu");
      ADD_FAILURE() << bad.text;
    } catch (const InvalidArgument& error) {
      EXPECT_NE(std::string(error.what()).find(bad.said), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(path_), std::string::npos) << error.what();
    }
    EXPECT_EQ(text(), bad.text);
  }
}

TEST_F(LedgerTest, ManyWritersAtOnceLoseNothing) {
  constexpr unsigned kWriters = 4;
  constexpr unsigned kRounds = 20;
  std::vector<std::thread> writers;
  for (unsigned i = 0; i < kWriters; ++i) {
    writers.emplace_back([this] {
      for (unsigned made = 0; made < kRounds; ++made) round(RoundState::kClean);
    });
  }
  for (std::thread& writer : writers) writer.join();
  const LedgerHistory history = ledger_.read();
  ASSERT_EQ(history.rounds.size(), kWriters * kRounds);
  EXPECT_TRUE(history.torn_lines.empty());
  for (std::size_t i = 0; i < history.rounds.size(); ++i) EXPECT_EQ(history.rounds[i].number, i + 1);
  EXPECT_EQ(clean(), kWriters * kRounds);
}

TEST_F(LedgerTest, ALockThatIsNeverReleasedEndsTheWait) {
  cli::LedgerFile stopped(path_, cli::LedgerFile::Access::kWrite);
  stopped.lock(0);
  cli::LedgerFile file(path_, cli::LedgerFile::Access::kWrite);
  try {
    file.lock(0, std::chrono::milliseconds(20));
    FAIL() << "the lock was given twice";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTimeout);
    EXPECT_NE(std::string(error.what()).find("locked by another process for 20 ms"), std::string::npos) << error.what();
  }
}

TEST_F(LedgerTest, AWriterKilledAtAnyMomentLeavesAReadableLedger) {
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        while (true) round(RoundState::kClean);
      } catch (...) {
        ::_exit(1);
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(1500 * kill_number));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    const std::size_t before = ledger_.read().rounds.size();
    round(RoundState::kClean);
    EXPECT_EQ(ledger_.read().rounds.size(), before + 1);
    EXPECT_EQ(ledger_.read().rounds.back().outcome.state, RoundState::kClean);
  }
}

TEST_F(LedgerTest, ThePictureHasASquareARound) {
  round(RoundState::kClean, "<one> & two");
  round(RoundState::kFailed);
  const std::string svg = cli::ledger_svg(ledger_.read());
  std::size_t squares = 0;
  for (std::size_t at = svg.find("<title>"); at != std::string::npos; at = svg.find("<title>", at + 1)) ++squares;
  EXPECT_EQ(squares, 2U);
  EXPECT_NE(svg.find("&lt;one&gt; &amp; two"), std::string::npos);
  EXPECT_NE(svg.find(">F2<"), std::string::npos);
  EXPECT_TRUE(cli::ledger_svg({}).ends_with("</svg>\n"));
}

TEST_F(LedgerTest, TheCommandShowsHistoryAndCount) {
  round(RoundState::kFailed);
  round(RoundState::kClean);
  add_text("{\"event\":\"beg");
  const std::string svg = folder_ / "ledger.svg";
  const CommandResult shown = run_heddle("ledger --out '" + folder_.string() + "' --svg '" + svg + "'");
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find("clean in a row: 1 of build one, 1 over all builds"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("line 5 was cut short"), std::string::npos) << shown.out;
  EXPECT_TRUE(std::filesystem::exists(svg));
  const CommandResult json = run_heddle("ledger --json --out '" + folder_.string() + "'");
  const auto parsed = nlohmann::json::parse(json.out);
  EXPECT_EQ(parsed["clean_in_a_row"], 1);
  EXPECT_EQ(parsed["rounds"].size(), 2U);
  EXPECT_EQ(parsed["rounds"][0]["result"], "failed");
  EXPECT_EQ(parsed["torn_lines"], nlohmann::json::array({5}));
}

TEST_F(LedgerTest, TheCommandMentionsATornLineWithoutAnyRound) {
  write(R"({"event":"begin","rou)");
  const CommandResult result = run_heddle("ledger --out '" + folder_.string() + "'");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("no rounds yet"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("line 1 was cut short"), std::string::npos) << result.out;
}

TEST_F(LedgerTest, TheCommandRefusesADirectoryInTheLedgersPlace) {
  std::filesystem::create_directories(path_);
  const CommandResult result = run_heddle("ledger --out '" + folder_.string() + "'");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find(path_ + " is a directory; allowed"), std::string::npos) << result.err;
}

TEST_F(LedgerTest, TheCommandNamesACorruptLine) {
  write("rubbish\n");
  const CommandResult result = run_heddle("ledger --out '" + folder_.string() + "'");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("line 1"), std::string::npos) << result.err;
  EXPECT_EQ(text(), "rubbish\n");
}

}  // namespace
}  // namespace heddle::test
