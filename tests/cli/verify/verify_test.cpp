// heddle verify: rounds end clean, failed or void for the right reason, and leave their report and their entry. A
// script (check_stand_in.sh) replaces heddle-check.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <thread>

#include "cli/command.hpp"

namespace heddle::test {
namespace {

using Json = nlohmann::ordered_json;

const std::filesystem::path kSource = HEDDLE_SOURCE_PATH;

class VerifyTest : public ::testing::Test {
 protected:
#ifdef HEDDLE_SANITIZED
  void SetUp() override {
    GTEST_SKIP() << "a round under a sanitizer takes minutes; its parts are tested by themselves";
  }
#endif
  VerifyTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    build_ = run_heddle("--version").out;
    build_.pop_back();
  }
  ~VerifyTest() override { std::filesystem::remove_all(folder_); }

  // A copy of the built tree, which the test may change.
  std::filesystem::path copied_tree() const {
    std::filesystem::create_directories(tree_);
    for (const char* input : {"CMakeLists.txt", "cmake", "include", "src", "cli", "check"}) {
      std::filesystem::copy(kSource / input, tree_ / input, std::filesystem::copy_options::recursive);
    }
    return tree_;
  }
  // `mode`: of the stand-in. `prefix`: prepended to the command.
  CommandResult verify(const std::string& arguments = "", const std::string& mode = "",
                       const std::string& prefix = "") {
    return run_heddle(
        "verify --budget 1s --out '" + out_.string() + "' --source '" + source_.string() + "' --check-program '" +
            (kSource / "tests/cli/check_stand_in.sh").string() + "' " + arguments,
        "STAND_IN=" + mode + " STAND_IN_BUILD=" + build_ + " STAND_IN_NOTE='" + note_.string() + "' " + prefix);
  }
  Json ledger() const {
    const CommandResult result = run_heddle("ledger --json --out '" + out_.string() + "'");
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Json::parse(result.out, nullptr, false);
  }
  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  Json report(int round) const {
    return Json::parse(text_of(out_ / ("round-000" + std::to_string(round) + ".json")), nullptr, false);
  }
  // Requires that the one round ended in `state`, for a reason that contains `said`.
  void expect_round(const CommandResult& result, const std::string& state, const std::string& said) const {
    EXPECT_EQ(result.exit_code, state == "clean" ? 0 : 1) << result.err;
    EXPECT_EQ(result.err, "");
    const Json rounds = ledger()["rounds"];
    ASSERT_EQ(rounds.size(), 1U);
    EXPECT_EQ(rounds[0]["result"], state);
    EXPECT_NE(rounds[0]["reason"].get<std::string>().find(said), std::string::npos) << rounds[0];
    EXPECT_EQ(report(1)["result"], state);
    EXPECT_EQ(report(1)["reason"], rounds[0]["reason"]);
    EXPECT_TRUE(std::filesystem::exists(out_ / rounds[0]["report"].get<std::string>()));
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("heddle_verify_" + std::to_string(::getpid()));
  const std::filesystem::path out_ = folder_ / "out";
  const std::filesystem::path tree_ = folder_ / "tree";
  const std::filesystem::path note_ = folder_ / "note";
  std::filesystem::path source_ = kSource;
  std::string build_;
};

TEST_F(VerifyTest, ACleanRoundSaysWhatItDid) {
  const CommandResult result = verify("--json", "many");
  expect_round(result, "clean", "");
  const Json json = Json::parse(result.out, nullptr, false);
  EXPECT_EQ(json["clean_in_a_row"], 1);
  EXPECT_EQ(json["build_id"], build_);
  EXPECT_EQ(json["checker_build_id"], build_);
  EXPECT_EQ(json["source_build_id"], build_);
  EXPECT_EQ(json["executions"], 5 * 3 * 1234);  // five groups of three scenarios
  EXPECT_EQ(json["canaries"].size(), 5U);
  ASSERT_EQ(json["attempts"].size(), 3U);
  for (const Json& attempt : json["attempts"]) {
    EXPECT_EQ(attempt["result"], "pass");
    EXPECT_FALSE(attempt["methods"].empty());
    EXPECT_FALSE(attempt["not_shown"].empty());
    for (const Json& pattern : attempt["patterns"]) {
      EXPECT_EQ(pattern["result"], pattern["explored"] == "nothing looked at it" ? "assumed" : "pass") << pattern;
    }
    for (const Json& claim : attempt["claims"]) EXPECT_GT(claim["executions"], 0) << claim;
  }
}

TEST_F(VerifyTest, ClaimsUseTheirWordsAndNoOthers) {
  verify("", "many");
  const Json json = report(1);
  ASSERT_EQ(json["attempts"].size(), 3U);
  for (const Json& attempt : json["attempts"]) {
    for (const Json& claim : attempt["claims"]) {
      const std::string words = claim["words"];
      const std::string name = claim["name"];
      EXPECT_TRUE(claim["statement"]["result"].get<std::string>().starts_with(words + ";")) << claim;
      EXPECT_FALSE(claim["statement"]["trusts"].get<std::string>().empty());
      if (claim["source"].get<std::string>().starts_with("load ")) {
        EXPECT_EQ(words, "stress-observed");
      } else if (name.ends_with("_a")) {
        EXPECT_EQ(words, "exhaustive within scope");
      } else if (name.ends_with("_b")) {
        EXPECT_EQ(words, "bounded-complete (c <= 2)");
      } else {
        EXPECT_EQ(words, "sampled (n = 1234)");
      }
    }
  }
  const std::string markdown = text_of(out_ / "round-0001.md");
  EXPECT_EQ(markdown.find("CLAIM "), std::string::npos);  // only those that failed
  EXPECT_NE(markdown.find("round-0001.json has all"), std::string::npos);
  EXPECT_LE(std::ranges::count(markdown, '\n'), 300);
  EXPECT_NE(markdown.find("`LaneExchange::give`"), std::string::npos);
  EXPECT_NE(markdown.find("### Not shown"), std::string::npos);
  EXPECT_EQ(markdown.find("prove"), std::string::npos);
}

TEST_F(VerifyTest, RoundsAreCounted) {
  EXPECT_EQ(verify("--rounds 2").exit_code, 0);
  EXPECT_EQ(ledger()["clean_in_a_row"], 2);
  EXPECT_EQ(verify("", "fails").exit_code, 1);
  EXPECT_EQ(ledger()["clean_in_a_row"], 0);
  const CommandResult last = verify("--round 9");
  EXPECT_TRUE(last.out.ends_with("CLEAN: 1 clean round of this build in a row\n")) << last.out;
  EXPECT_EQ(ledger()["rounds"].back()["round"], 9);
}

TEST_F(VerifyTest, UntilMakesAtLeastOneRound) {
  const CommandResult result = verify("--until 1s --json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const Json json = Json::parse(result.out, nullptr, false);
  ASSERT_TRUE(json.is_array());
  EXPECT_GE(json.size(), 1U);
  EXPECT_EQ(json.size(), ledger()["rounds"].size());
}

TEST_F(VerifyTest, AFailureOfTheCheckerFailsTheRound) {
  expect_round(verify("", "fails"), "failed", "attempt 3: group pool, hand_over: deadlock");
  const std::string markdown = text_of(out_ / "round-0001.md");
  EXPECT_NE(markdown.find("`heddle-check replay '0x3,1x2'`"), std::string::npos);
  EXPECT_NE(markdown.find("VIOLATED"), std::string::npos);
}

TEST_F(VerifyTest, AReportThatCannotBeWrittenTakesNothingFromTheLedger) {
  std::filesystem::create_directories(out_ / "round-0001.md");
  const CommandResult result = verify();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.out.find("CLEAN: 1 clean round"), std::string::npos) << result.out;
  EXPECT_NE(result.err.find("round-0001.md cannot be written"), std::string::npos) << result.err;
  const Json history = ledger();
  ASSERT_EQ(history["rounds"].size(), 1U) << history;
  EXPECT_EQ(history["rounds"][0]["result"], "clean");
}

TEST_F(VerifyTest, AGroupWithoutScenariosFailsTheRound) { expect_round(verify("", "empty"), "failed", "no scenario"); }

TEST_F(VerifyTest, AnAttemptThatCrashesIsAResult) {
  expect_round(verify("", "crash_attempt"), "failed", "attempt 2: its process ended with signal 11");
  const Json attempts = report(1)["attempts"];
  ASSERT_EQ(attempts.size(), 3U);  // the others were made
  EXPECT_EQ(attempts[0]["result"], "pass");
  EXPECT_EQ(attempts[1]["result"], "fail");
  EXPECT_NE(attempts[1]["failures"][0].get<std::string>().find("group handlers"), std::string::npos);
  EXPECT_EQ(attempts[2]["result"], "pass");
}

TEST_F(VerifyTest, AnAttemptThatHangsIsAResult) {
  expect_round(verify("--grace 5s", "stop_attempt"), "failed", "killed: no end within");
  const Json attempts = report(1)["attempts"];
  ASSERT_EQ(attempts.size(), 3U);
  const std::string failure = attempts[1]["failures"][0];
  EXPECT_NE(failure.find("killed: no end within"), std::string::npos) << failure;
  EXPECT_NE(failure.find("while at: group handlers"), std::string::npos) << failure;
}

TEST_F(VerifyTest, AStaleBinaryVoidsTheRound) {
  source_ = copied_tree();
  std::ofstream(source_ / "include/heddle/heddle.hpp", std::ios::app) << "// changed\n";
  expect_round(verify(), "void", "stale binary: heddle is build " + build_ + ", the source tree is src-");
  EXPECT_TRUE(report(1)["attempts"].empty());
}

// The tree may be foreign: its contents are read, and nothing in it is run or waited for.
TEST_F(VerifyTest, NothingOfASourceTreeIsRun) {
  source_ = copied_tree();
  const std::filesystem::path sign = folder_ / "run";
  for (const char* script : {"cmake/build_id.sh", "dev", ".git"}) {
    std::ofstream(source_ / script) << "#!/bin/sh\ntouch '" << sign.string() << "'\necho " << build_ << "\n";
    std::filesystem::permissions(source_ / script, std::filesystem::perms::all);
  }
  ASSERT_EQ(::mkfifo((source_ / "src/heddle/pipe.cpp").c_str(), 0600), 0);
  expect_round(verify(), "void", "stale binary");
  EXPECT_FALSE(std::filesystem::exists(sign));
}

TEST_F(VerifyTest, OfTwoRefusalsBothAreTold) {
  // The file size limit leaves room for a round's begin in the ledger, and not for its end.
  std::filesystem::create_directories(out_);
  std::string text;
  for (int number = 1; text.size() < 7300; ++number) {
    const std::string round = std::to_string(number);
    text += R"({"event":"begin","round":)" + round +
            R"(,"build_id":"one","device":"cpu","time":"t"})"
            "\n";
    text += R"({"event":"end","round":)" + round +
            R"(,"build_id":"one","result":"clean","executions":1,"seconds":1,"reason":"","report":"r","time":"t"})"
            "\n";
  }
  text.pop_back();
  std::ofstream(out_ / "ledger.jsonl") << text;
  const std::string most = std::to_string(text.size() + 450);  // a begin has about 270 bytes, an end 350
  const CommandResult result = verify("", "", "sh -c 'trap \"\" XFSZ; exec prlimit --fsize=" + most + " \"$@\"' sh");
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("round-"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("the ledger"), std::string::npos) << result.err;
  EXPECT_NE(result.out.find("\nNOT KEPT: the round was clean"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("CLEAN:"), std::string::npos) << result.out;
  EXPECT_EQ(ledger()["clean_in_a_row"], 0);
}

TEST_F(VerifyTest, FlawsOfTheLedgerAreTold) {
  EXPECT_EQ(verify("--rounds 2").exit_code, 0);
  std::string text = text_of(out_ / "ledger.jsonl");
  text.replace(text.find("\"executions\":"), 14, "\"executions\":1");
  std::ofstream(out_ / "ledger.jsonl") << text;
  const CommandResult result = verify();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("line 2 was changed"), std::string::npos) << result.out;
  EXPECT_TRUE(result.out.ends_with("CLEAN: 2 clean rounds of this build in a row\n")) << result.out;
}

TEST_F(VerifyTest, AStaleCheckerVoidsTheRound) {
  expect_round(verify("", "stale"), "void", "heddle-check is another-build");
}

TEST_F(VerifyTest, ASilentCanaryVoidsTheRoundAndEndsTheRounds) {
  expect_round(verify("--rounds 3", "silent"), "void", "silent canary: heddle-check");
}

TEST_F(VerifyTest, TwoAtOnceShareALedger) {
  CommandResult other;
  std::thread second([&] { other = verify("--rounds 2"); });
  const CommandResult one = verify("--rounds 2");
  second.join();
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(other.exit_code, 0) << other.err;
  const Json json = ledger();
  ASSERT_EQ(json["rounds"].size(), 4U);
  EXPECT_EQ(json["clean_in_a_row"], 4);
  for (int round = 1; round <= 4; ++round) EXPECT_EQ(report(round)["round"], round);
}

TEST_F(VerifyTest, KilledAtAnyMomentTheLedgerIsReadable) {
  for (const char* seconds : {"0.02", "0.1", "0.3", "0.7", "1.1", "1.7"}) {
    const CommandResult killed = verify("--rounds 9", "", std::string("timeout -s KILL ") + seconds);
    EXPECT_EQ(killed.exit_code, 137);
    if (std::filesystem::exists(out_ / "ledger.jsonl")) {
      EXPECT_TRUE(ledger().is_object());
    }
  }
  EXPECT_EQ(verify().exit_code, 0);
  EXPECT_EQ(ledger()["clean_in_a_row"], 1);
  EXPECT_EQ(ledger()["rounds"].back()["result"], "clean");
}

TEST_F(VerifyTest, KilledItLeavesNoProcessBehind) {
  const std::filesystem::path own = folder_ / "pid";
  const auto wait_for = [](const auto& holds, int seconds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!holds() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return holds();
  };
  const auto read_pid = [](const std::filesystem::path& file) {
    pid_t pid = 0;
    std::ifstream(file) >> pid;
    return pid;
  };
  std::thread run([&] { verify("", "linger", "sh -c 'echo $$ > \"" + own.string() + "\"; exec \"$@\"' sh"); });
  const bool lingers = wait_for([&] { return read_pid(note_) != 0; }, 90);  // written by the stand-in
  ::kill(read_pid(own), SIGKILL);
  run.join();
  ASSERT_TRUE(lingers);
  EXPECT_TRUE(wait_for([&] { return !process_runs(read_pid(note_)); }, 20));
  EXPECT_EQ(ledger()["rounds"][0]["result"], "unfinished");
}

TEST_F(VerifyTest, ACorruptLedgerIsLeftAsItIs) {
  std::filesystem::create_directories(out_);
  std::ofstream(out_ / "ledger.jsonl") << "rubbish\n";
  const CommandResult result = verify();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("corrupt: line 1"), std::string::npos) << result.err;
  EXPECT_EQ(text_of(out_ / "ledger.jsonl"), "rubbish\n");
}

TEST_F(VerifyTest, ARoundInUseIsRefused) {
  verify("--round 4", "silent");
  const std::string before = text_of(out_ / "ledger.jsonl");
  const CommandResult result = verify("--round 4");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("round 4 is in the ledger"), std::string::npos) << result.err;
  EXPECT_EQ(text_of(out_ / "ledger.jsonl"), before);
}

TEST_F(VerifyTest, AFolderThatCannotBeWrittenIsRefusedBeforeTheWork) {
  std::ofstream(folder_ / "out") << "a file where the folder would be";
  const CommandResult result = verify();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("allowed: an --out DIR"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace heddle::test
