// The ledger's chain: changed, removed, added or truncated lines are reported, and earlier rounds do not count.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

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

using Lines = std::vector<std::string>;

Lines split(const std::string& text) {
  Lines lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string join(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

class LedgerChainTest : public LedgerFixture {
 protected:
  // Six rounds; the second failed.
  std::string six() const {
    for (int i = 1; i <= 6; ++i) round(i == 2 ? RoundState::kFailed : RoundState::kClean);
    return text();
  }
  std::size_t clean() const { return clean_in_a_row(ledger_.read(), true); }
};

TEST_F(LedgerChainTest, AnUntouchedLedgerHasNoFlaw) {
  six();
  const LedgerHistory history = ledger_.read();
  EXPECT_TRUE(history.flaws.empty());
  EXPECT_EQ(history.unchained_lines, 0U);
  EXPECT_EQ(clean(), 4U);
}

TEST_F(LedgerChainTest, EachLineNamesTheOneBefore) {
  const Lines lines = split(six());
  std::string before;
  for (const std::string& line : lines) {
    const Json entry = *cli::parse_json(line);
    if (!before.empty()) {
      EXPECT_EQ(entry["before"], before);
    }
    before = entry["digest"];
    EXPECT_EQ(before.size(), 64U);
  }
}

// Every bit of the file, whatever the reader makes of it: refused damage, a reported torn end, or a flaw.
TEST_F(LedgerChainTest, NoBitFlipsUnseen) {
  round(RoundState::kClean);
  round(RoundState::kFailed, "attempt 1: x");
  round(RoundState::kClean);
  const std::string whole = text();
  std::size_t unseen = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      try {
        const LedgerHistory history = cli::parse_ledger(flipped, path_);
        if (history.flaws.empty() && history.torn_lines.empty()) {
          ++unseen;
          ADD_FAILURE() << "byte " << at << ", bit " << bit;
        }
      } catch (const InvalidArgument&) {
        continue;
      }
      if (unseen > 3) return;
    }
  }
}

TEST_F(LedgerChainTest, ARemovedRoundEndsTheRow) {
  Lines lines = split(six());
  lines.erase(lines.begin() + 2, lines.begin() + 4);  // round 2, which failed
  write(join(lines));
  const LedgerHistory history = ledger_.read();
  ASSERT_FALSE(history.flaws.empty());
  EXPECT_EQ(history.flaws.front().line, 3U);
  EXPECT_EQ(clean(), 4U) << "rounds 3 to 6, as with round 2 in its place";
  const CommandResult shown = show();
  EXPECT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_NE(shown.out.find("FLAW: line 3 does not follow the line before it"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("the ledger has no round 2"), std::string::npos) << shown.out;
}

TEST_F(LedgerChainTest, ARemovedEndOrAChangedFigureEndsTheRow) {
  const Lines whole = split(six());
  for (std::size_t line = 0; line + 1 < whole.size(); ++line) {
    Lines lines = whole;
    lines[line].replace(lines[line].find("\"time\":\"2"), 9, "\"time\":\"3");
    write(join(lines));
    const LedgerHistory history = ledger_.read();
    ASSERT_FALSE(history.flaws.empty()) << line;
    EXPECT_EQ(history.flaws.front().line, line + 1);
    EXPECT_LE(clean(), 6 - (line / 2 + 1)) << "a round whose line was changed, and those before, do not count";
  }
  Lines lines = whole;
  lines.erase(lines.begin() + 9);  // the end of round 5
  write(join(lines));
  EXPECT_EQ(clean(), 1U);
}

TEST_F(LedgerChainTest, AFailedRoundBehindATornMarkIsSeen) {
  Lines lines = split(six());
  lines[2] = R"({"event":"beg)";
  lines[3] = R"({"after_torn_line":true,)" + lines[4].substr(1);
  lines.erase(lines.begin() + 4);
  write(join(lines));
  const LedgerHistory history = ledger_.read();
  EXPECT_EQ(history.torn_lines, (std::vector<std::size_t>{3}));
  EXPECT_FALSE(history.flaws.empty());
  EXPECT_LE(clean(), 4U);
}

TEST_F(LedgerChainTest, TornLinesAreNoFlaw) {
  round(RoundState::kClean);
  write(text() + R"({"event":"begin","rou)");
  round(RoundState::kClean);
  write(text() + R"({"event":"end","round":2)" + std::string(300, '\0'));
  round(RoundState::kClean);
  const LedgerHistory history = ledger_.read();
  EXPECT_TRUE(history.flaws.empty()) << history.flaws.front().text;
  EXPECT_EQ(history.torn_lines.size(), 2U);
  EXPECT_EQ(clean(), 3U);
}

TEST_F(LedgerChainTest, LinesOfBeforeRemainReadableAndAreSealed) {
  const std::string old =
      R"({"event":"begin","round":1,"build_id":"one","device":"cpu","time":"2026-11-30T11:00:00Z"})"
      "\n"
      R"({"event":"end","round":1,"build_id":"one","result":"clean","executions":9,"seconds":1,"reason":"",)"
      R"("report":"round-0001.md","time":"2026-11-30T11:02:00Z"})"
      "\n";
  write(old);
  EXPECT_EQ(clean(), 1U);
  EXPECT_EQ(ledger_.read().unchained_lines, 2U);
  round(RoundState::kClean);
  EXPECT_TRUE(ledger_.read().flaws.empty());
  EXPECT_EQ(clean(), 2U);
  const CommandResult shown = show();
  EXPECT_NE(shown.out.find("not chained: the first 2 lines"), std::string::npos) << shown.out;
  std::string changed = text();
  changed.replace(changed.find("\"executions\":9"), 14, "\"executions\":8");
  write(changed);
  EXPECT_FALSE(ledger_.read().flaws.empty()) << "the first chained line seals the lines before it";
  EXPECT_EQ(clean(), 1U);
  write(text() + old.substr(0, old.find('\n')).replace(25, 1, "3") + "\n");
  EXPECT_NE(ledger_.read().flaws.back().text.find("carries no digest"), std::string::npos);
}

TEST_F(LedgerChainTest, AGapInUnchainedLinesIsTold) {
  std::string old;
  for (const char* round : {"1", "4", "5"}) {
    old +=
        R"({"event":"begin","round":)" + std::string(round) + R"(,"build_id":"one","device":"cpu","time":"t"})" + "\n";
    old += R"({"event":"end","round":)" + std::string(round) +
           R"(,"build_id":"one","result":"clean","executions":9,"seconds":1,"reason":"","report":"r"})" + "\n";
  }
  write(old);
  const LedgerHistory history = ledger_.read();
  ASSERT_EQ(history.flaws.size(), 1U);
  EXPECT_EQ(history.flaws[0].text, "line 3 begins round 4, and the ledger has no round 2");
  EXPECT_EQ(clean(), 2U);
}

// A ledger that was truncated at a line's end looks whole; the reports next to it reveal the loss.
TEST_F(LedgerChainTest, AReportOfARoundThatTheLedgerLacksIsTold) {
  const Lines whole = split(six());
  write(join(Lines(whole.begin(), whole.end() - 4)));
  EXPECT_EQ(clean(), 2U) << "nothing in the file says that it was longer";
  std::ofstream(folder_ / "round-0006.json") << "{}\n";
  EXPECT_EQ(clean(), 0U);
  const CommandResult shown = show();
  EXPECT_NE(shown.out.find("report of round 6, and the ledger ends at round 4"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("clean in a row: 0"), std::string::npos) << shown.out;
  EXPECT_THROW(ledger_.begin(6, "one", "cpu"), InvalidArgument) << "its report would be lost";
  EXPECT_EQ(ledger_.begin(std::nullopt, "one", "cpu").number(), 7U);
  EXPECT_NE(ledger_.read().flaws.back().text.find("no round 5"), std::string::npos);
}

}  // namespace
}  // namespace heddle::test
