// Foreign objects in a ledger's place, and foreign contents in its lines: files, links, pipes, nesting, lengths, bytes.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/command.hpp"
#include "cli/ledger/fixture.hpp"
#include "cli/ledger/ledger.hpp"
#include "cli/ledger/lines.hpp"
#include "cli/terminal/json.hpp"
#include "heddle/error.hpp"

namespace heddle::test {
namespace {

using cli::Json;
using cli::Ledger;
using cli::LedgerHistory;
using cli::RoundState;

using LedgerInputTest = LedgerFixture;

TEST_F(LedgerInputTest, ForeignFilesAreNeverAppendedTo) {
  for (const std::string foreign :
       {"a foreign file, no newline at its end", "notes\nmore notes", "{\"name\":\"other\"}", "{\"name\":", "[1,2",
        "\n", "{\"event\":\"begin\",\"round\":1,\"build_id\":\"b\",\"device\":\"d\",\"time\":\"t\"}\nnotes"}) {
    write(foreign);
    EXPECT_THROW(ledger_.begin(std::nullopt, "one", "cpu"), InvalidArgument) << foreign;
    EXPECT_EQ(text(), foreign);
    EXPECT_EQ(show().exit_code, 2) << foreign;
  }
}

TEST_F(LedgerInputTest, NoLinkIsFollowed) {
  const std::filesystem::path victim = folder_ / "victim";
  std::ofstream(victim) << "";
  std::filesystem::create_symlink(victim, path_);
  EXPECT_THROW(ledger_.begin(std::nullopt, "one", "cpu"), InvalidArgument);
  EXPECT_EQ(std::filesystem::file_size(victim), 0U);
  const CommandResult result = show();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("is a symbolic link; allowed"), std::string::npos) << result.err;
}

TEST_F(LedgerInputTest, APipeInItsPlaceIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THROW(ledger_.begin(std::nullopt, "one", "cpu"), InvalidArgument);
  EXPECT_THROW(static_cast<void>(ledger_.read()), InvalidArgument);
}

struct Hostile {
  std::string line;
  const char* said;
};

TEST_F(LedgerInputTest, HostileLinesAreNamedByTypeAndLength) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const std::string begin = R"(,"event":"begin","build_id":"b","device":"d","time":"t"})";
  for (const Hostile& bad :
       {Hostile{"{\"round\":" + nested(20) + begin, "its round is of type array"},
        Hostile{"{\"round\":" + nested(10'000) + begin, "nested deeper than"},
        Hostile{"{\"round\":" + nested(1'000'000) + begin, "bytes; allowed: at most"},
        Hostile{"{\"round\":1,\"x\":" + nested(10'000) + begin, "nested deeper than"},
        Hostile{std::string(10'000, '['), "nested deeper than"},
        Hostile{"{\"round\":{}" + begin, "its round is of type object"},
        Hostile{"{\"round\":1e3" + begin, "its round is of type number"},
        Hostile{"{\"round\":null" + begin, "its round is of type null"},
        Hostile{R"({"round":1,"event":5})", "its event is of type number"},
        Hostile{R"({"round":1,"event":"\u001b[31m\nforged"})", "its event is '\\x1b[31m\\nforged'"},
        Hostile{R"({"round":1,"event":"begin","device":"d","time":"t","build_id":")" + std::string(5000, 'A') + "\"}",
                "its build_id has 5000 bytes; allowed: at most 256"},
        Hostile{std::string(10'000'000, 'x'), "it has 10000000 bytes; allowed: at most"}}) {
    write(bad.line + "\n");
    const CommandResult result = show();
    EXPECT_EQ(result.exit_code, 2) << bad.said;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err.substr(0, 300);
    EXPECT_LT(result.err.size(), 1000U);
    EXPECT_NE(result.err.find(bad.said), std::string::npos) << result.err.substr(0, 1000);
  }
}

TEST_F(LedgerInputTest, TextsThatAreNoUtf8KeepTheRoundsEnd) {
  round(RoundState::kVoid, "bad\xff cannot be started");
  const LedgerHistory history = ledger_.read();
  ASSERT_EQ(history.rounds.size(), 1U);
  EXPECT_EQ(history.rounds[0].outcome.state, RoundState::kVoid);
  EXPECT_TRUE(history.flaws.empty());
}

TEST_F(LedgerInputTest, AFolderWhoseNameIsNoUtf8IsShown) {
  const std::filesystem::path bad = folder_ / "bad\xff\x1b[31m";
  std::filesystem::create_directories(bad);
  const Ledger ledger(bad / "ledger.jsonl");
  ledger.end(ledger.begin(std::nullopt, "one", "cpu"), {RoundState::kClean, 1, 1, "", ""});
  for (const char* form : {"", " --json"}) {
    const CommandResult result = run_heddle("ledger --out '" + bad.string() + "'" + form);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.out.find('\x1b'), std::string::npos) << result.out;
    EXPECT_EQ(result.out.find('\xff'), std::string::npos) << result.out;
  }
}

TEST_F(LedgerInputTest, AReasonForgesNoLineAndSendsNoEscape) {
  round(RoundState::kFailed,
        "x\nclean in a row: 999 of build abc, 999 over all builds\x1b]0;owned\x07\xC2\x9B"
        "2J");
  const CommandResult result = show();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.find("\nclean in a row: 999"), std::string::npos) << result.out;
  for (const char* control : {"\x1b", "\x07", "\xC2\x9B"}) EXPECT_EQ(result.out.find(control), std::string::npos);
  const CommandResult json = show("--json");
  for (const char* control : {"\x1b", "\x07", "\xC2\x9B"}) EXPECT_EQ(json.out.find(control), std::string::npos);
  const std::string svg = folder_ / "a.svg";
  EXPECT_EQ(show("--svg '" + svg + "'").exit_code, 0);
  std::ifstream stream(svg);
  const std::string drawn{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  EXPECT_EQ(drawn.find('\x1b'), std::string::npos);
}

TEST_F(LedgerInputTest, NamesThatCannotBeAreBadInput) {
  std::filesystem::create_symlink("loop", folder_ / "loop");
  for (const std::string& out :
       {std::string(5000, 'a'), (folder_ / std::string(300, 'a')).string(), (folder_ / "loop").string(),
        (folder_ / "loop/x").string(), std::string("/dev/null")}) {
    for (const char* command : {"ledger", "verify"}) {
      const CommandResult result = run_heddle(std::string(command) + " --out '" + out + "'");
      EXPECT_EQ(result.exit_code, 2) << command << " " << result.err.substr(0, 300);
      EXPECT_EQ(result.out, "");
      EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
      EXPECT_NE(result.err.find("allowed"), std::string::npos) << result.err;
    }
  }
  round(RoundState::kClean);
  const CommandResult drawn = show("--svg '" + std::string(300, 'a') + "'");
  EXPECT_EQ(drawn.exit_code, 2) << drawn.err;
  EXPECT_NE(drawn.err.find("allowed"), std::string::npos) << drawn.err;
}

// The limit of --rounds; searching all rounds for each line would take minutes here.
TEST_F(LedgerInputTest, TenThousandRoundsAreReadInOneGo) {
  std::string all;
  for (int number = 1; number <= 20'000; ++number) {
    const std::string round = std::to_string(number);
    for (Json entry :
         {Json{{"event", "begin"}, {"round", number}, {"build_id", "one"}, {"device", "cpu"}, {"time", "t"}},
          Json{{"event", "end"},
               {"round", number},
               {"build_id", "one"},
               {"result", "clean"},
               {"executions", 1},
               {"seconds", 1},
               {"reason", ""},
               {"report", "r"}}}) {
      all += cli::json_text(entry) + "\n";
    }
  }
  const cli::ReadLedger read = cli::read_ledger(all, path_);
  EXPECT_EQ(read.history.rounds.size(), 20'000U);
  EXPECT_EQ(clean_in_a_row(read.history, true), 20'000U);
}

}  // namespace
}  // namespace heddle::test
