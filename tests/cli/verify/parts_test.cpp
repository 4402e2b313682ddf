// The parts of heddle verify that need no process: tables of patterns, claims, the verdict, subprocesses, source trees.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "cli/command.hpp"
#include "cli/stress/handler_load.hpp"
#include "cli/stress/thread_failures.hpp"
#include "cli/system/subprocess.hpp"
#include "cli/terminal/option_values.hpp"
#include "cli/verify/attempt.hpp"
#include "cli/verify/check_program.hpp"
#include "cli/verify/claims.hpp"
#include "cli/verify/round.hpp"
#include "cli/verify/source_tree.hpp"
#include "heddle/error.hpp"

namespace heddle::test {
namespace {

using cli::Claim;
using cli::Pattern;
using cli::RoundResult;
using cli::RoundState;

const std::filesystem::path kSource = HEDDLE_SOURCE_PATH;

TEST(Patterns, NameWhatIsInTheSources) {
  EXPECT_EQ(missing_symbols(kSource, cli::attempts()), std::vector<std::string>{});
  std::vector<cli::Attempt> changed = cli::attempts();
  changed[0].patterns[0].symbol = "DeviceMemory::settle";  // only a part of a name
  changed[1].patterns[0].file = "src/heddle/stream/weave.cpp";
  EXPECT_EQ(missing_symbols(kSource, changed).size(), 2U);
}

TEST(Patterns, AreExploredByWhatTheAttemptRuns) {
  for (const cli::Attempt& attempt : cli::attempts()) {
    for (const Pattern& pattern : attempt.patterns) {
      EXPECT_FALSE(pattern.explored_by.empty()) << pattern.pattern;
      for (const std::string source : pattern.explored_by) {
        if (!source.starts_with("group ")) continue;
        const std::string group = source.substr(6, source.find('/') - 6);
        EXPECT_NE(std::find(attempt.groups.begin(), attempt.groups.end(), group), attempt.groups.end()) << source;
      }
    }
  }
}

TEST(SourceTree, IsFoundAboveAFolderInIt) {
  EXPECT_EQ(cli::find_source_tree(kSource / "build/release/bin"), kSource);
  EXPECT_EQ(cli::find_source_tree("/usr/bin"), std::nullopt);
  EXPECT_EQ(cli::source_digest(kSource).size(), 64U);
  EXPECT_TRUE(cli::build_of_sources("/dev").starts_with("src-e3b0c44298fc")) << "of nothing";
}

Claim claim(const std::string& source, const std::string& name, const std::string& words, bool pass = true) {
  Claim result;
  result.source = source;
  result.name = name;
  result.words = words;
  result.executions = 5;
  result.pass = pass;
  return result;
}

TEST(Explored, CollectsTheClaimsOfItsSources) {
  const std::vector<Claim> claims = {claim("group pool", "hand_over", "exhaustive within scope"),
                                     claim("group pool", "churn", "sampled (n = 5)"),
                                     claim("load stress", "32", "stress-observed", false)};
  const auto seen = [&claims](std::vector<const char*> sources) {
    return explored_by({"", "", "", std::move(sources)}, claims);
  };
  EXPECT_EQ(seen({"group pool"}).what, "group pool: 2 claims, 10 executions, exhaustive within scope, sampled");
  EXPECT_EQ(seen({"group pool"}).result, "pass");
  EXPECT_EQ(seen({"group pool/hand"}).what, "group pool/hand: 1 claim, 5 executions, exhaustive within scope");
  EXPECT_EQ(seen({"group pool", "load stress"}).result, "FAIL");
  EXPECT_EQ(seen({"group memory"}).result, "assumed");
  EXPECT_EQ(seen({}).result, "assumed");
}

RoundResult clean_round() {
  RoundResult result;
  result.build_id = result.checker_build_id = result.source_build_id = "one";
  result.canaries = {{"canary", "a failure", "a failure", true}};
  for (int number = 1; number <= 3; ++number) {
    cli::AttemptResult attempt;
    attempt.number = number;
    attempt.pass = true;
    result.attempts.push_back(attempt);
  }
  return result;
}

TEST(Verdict, IsCleanOnlyWhenAllIs) {
  const auto judged = [](auto change) {
    RoundResult result = clean_round();
    change(result);
    judge(result);
    return result.state;
  };
  EXPECT_EQ(judged([](RoundResult&) {}), RoundState::kClean);
  EXPECT_EQ(judged([](RoundResult& r) { r.source_build_id = ""; }), RoundState::kClean);  // no tree to compare with
  EXPECT_EQ(judged([](RoundResult& r) { r.source_build_id = "two"; }), RoundState::kVoid);
  EXPECT_EQ(judged([](RoundResult& r) { r.checker_build_id = "two"; }), RoundState::kVoid);
  EXPECT_EQ(judged([](RoundResult& r) { r.canaries[0].sang = false; }), RoundState::kVoid);
  EXPECT_EQ(judged([](RoundResult& r) { r.missing_symbols = {"x"}; }), RoundState::kVoid);
  EXPECT_EQ(judged([](RoundResult& r) { r.attempts[1].pass = false; }), RoundState::kFailed);
  EXPECT_EQ(judged([](RoundResult& r) { r.attempts[1].void_reason = "another build"; }), RoundState::kVoid);
  EXPECT_EQ(judged([](RoundResult& r) { r.attempts.pop_back(); }), RoundState::kVoid);
}

TEST(CheckProgram, NothingExecutedIsNoPass) {
  const cli::CheckRun run = cli::parse_check(
      R"({"build_id":"one","results":[{"scenario":"s","group":"pool","strategy":"pct","bound":null,"threads":3,)"
      R"("executions":0,"exhausted":true,"points":0,"points_per_second":0,"executions_per_second":0,"choices":[],)"
      R"("depth_max":0,"wall_seconds":0,"result":"pass"}]})");
  ASSERT_EQ(run.claims.size(), 1U);
  EXPECT_FALSE(run.claims[0].pass);
  EXPECT_TRUE(run.found_failure);
}

TEST(CheckProgram, WhatIsNoAnswerThrows) {
  const auto said = [](const char* mode) -> std::string {
    ::setenv("STAND_IN", mode, 1);
    ::setenv("STAND_IN_BUILD", "one", 1);
    try {
      const cli::CheckRun run = cli::run_check(kSource / "tests/cli/check_stand_in.sh", {"--group", "pool"}, 60);
      return run.build_id + (run.found_failure ? " failed" : " passed");
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(said(""), "one passed");
  EXPECT_EQ(said("fails"), "one failed");
  EXPECT_NE(said("crash").find("signal 11"), std::string::npos) << said("crash");
  EXPECT_NE(said("garbage").find("no result"), std::string::npos) << said("garbage");
}

TEST(Subprocess, TellsHowItEnded) {
  using std::chrono::seconds;
  EXPECT_EQ(cli::run_process({"/bin/sh", "-c", "exit 3"}, seconds(60)).ended(), "exit code 3");
  EXPECT_EQ(cli::run_process({"/bin/sh", "-c", "kill -SEGV $$"}, seconds(60)).signal, 11);
  const cli::ProcessResult hung = cli::run_process({"/bin/sh", "-c", "echo begun; sleep 600"}, seconds(1));
  EXPECT_TRUE(hung.timed_out);
  EXPECT_EQ(hung.out, "begun\n");
  EXPECT_THROW(cli::run_process({"/nowhere/weave"}, seconds(60)), Error);
}

TEST(Subprocess, ChangesTheEnvironmentAndNoShellSeesTheArguments) {
  const cli::ProcessResult result =
      cli::run_process({"/usr/bin/env"}, std::chrono::seconds(60), {}, {"HOME=/other home", "HEDDLE_X=$(id)"});
  EXPECT_NE(("\n" + result.out).find("\nHOME=/other home\n"), std::string::npos) << result.out;
  EXPECT_EQ(("\n" + result.out).find("\nHOME="), ("\n" + result.out).rfind("\nHOME="));
  EXPECT_NE(result.out.find("HEDDLE_X=$(id)\n"), std::string::npos);
  EXPECT_NE(result.out.find("PATH="), std::string::npos);
  EXPECT_EQ(cli::run_process({"/bin/echo", "'; echo \"$(id)\""}, std::chrono::seconds(60)).out, "'; echo \"$(id)\"\n");
}

TEST(Subprocess, AFloodOfOutputEndsIt) {
  const cli::ProcessResult result = cli::run_process({"/usr/bin/yes"}, std::chrono::seconds(120));
  EXPECT_TRUE(result.flooded);
  EXPECT_FALSE(result.timed_out);
  EXPECT_LT(result.out.size(), cli::kOutMost + (1 << 20));
}

TEST(Subprocess, AProcessThatOutlivesItDoesNotKeepTheReader) {
  const cli::ProcessResult result =
      cli::run_process({"/bin/sh", "-c", "echo begun; yes & exit 0"}, std::chrono::seconds(120));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_FALSE(result.timed_out);
  EXPECT_TRUE(result.out.starts_with("begun\n")) << result.out.substr(0, 20);
  EXPECT_LT(result.out.size(), cli::kOutMost + (2 << 20));
}

TEST(Subprocess, WhatItsReaderThrowsEndsIt) {
  pid_t left = 0;
  const auto take = [&left](std::string_view line) {
    left = std::stoi(std::string(line));
    throw std::runtime_error("enough");
  };
  EXPECT_THROW(cli::run_process({"/bin/sh", "-c", "echo $$; exec sleep 600"}, std::chrono::seconds(60), take),
               std::runtime_error);
  EXPECT_NE(left, 0);
  EXPECT_FALSE(process_runs(left));
}

TEST(Subprocess, CollectsLinesAndTheEndOfErrors) {
  std::vector<std::string> lines;
  const cli::ProcessResult result = cli::run_process(
      {"/bin/sh", "-c",
       "i=0; while [ $i -lt 3000 ]; do echo line $i; echo error $i >&2; i=$((i+1)); done; printf rest"},
      std::chrono::seconds(60), [&lines](std::string_view line) { lines.emplace_back(line); });
  ASSERT_EQ(lines.size(), 3000U);
  EXPECT_EQ(lines.back(), "line 2999");
  EXPECT_TRUE(result.out.ends_with("line 2999\nrest"));
  EXPECT_LE(result.error_tail.size(), 4096U);
  EXPECT_TRUE(result.error_tail.ends_with("error 2999\n"));
}

TEST(Subprocess, EndsWhatAProgramLeavesBehind) {
  const cli::ProcessResult result =
      cli::run_process({"/bin/sh", "-c", "sleep 600 & echo $!"}, std::chrono::seconds(60));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_FALSE(result.timed_out);
  const pid_t left = std::stoi(result.out);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (process_runs(left) && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_FALSE(process_runs(left));
}

TEST(ThreadFailures, CountWithoutRoomForTexts) {
  cli::ThreadFailures failures(2);
  static_assert(noexcept(failures.guard("", [] {})));
  for (int i = 0; i < 4; ++i) failures.guard("", [i] { throw std::runtime_error(std::to_string(i)); });
  EXPECT_FALSE(failures.out_of_memory());
  EXPECT_FALSE(failures.guard("thread 4", [] { throw OutOfMemory("no room"); }));
  EXPECT_TRUE(failures.guard("", [] {}));
  EXPECT_FALSE(failures.guard("", [] { throw 5; }));
  EXPECT_EQ(failures.count(), 6U);
  EXPECT_EQ(failures.texts(), (std::vector<std::string>{"0", "1"}));
  EXPECT_THROW(std::rethrow_exception(failures.first()), OutOfMemory) << "which may have caused the others";
}

#ifndef HEDDLE_SANITIZED
TEST(ThreadFailures, AreCountedWithoutHostMemory) {
  const pid_t child = ::fork();
  if (child == 0) {
    cli::ThreadFailures failures;
    const std::string where(100, 'x');
    const rlimit none{1, 1};
    ::setrlimit(RLIMIT_AS, &none);
    for (std::size_t size = std::size_t{1} << 30; size > 0; size /= 2) {
      while (std::malloc(size) != nullptr) {  // NOLINT: all there is; the process ends at once
      }
    }
    for (int i = 0; i < 3; ++i) failures.guard(where, [] { throw OutOfMemory(std::string(1000, 'y')); });
    ::_exit(failures.count() == 3 && failures.out_of_memory() && failures.first() != nullptr ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}
#endif

TEST(Duration, TakesANumberWithItsUnit) {
  EXPECT_EQ(cli::parse_duration("--budget", "90s", 1, 3600), 90);
  EXPECT_EQ(cli::parse_duration("--budget", "1.5m", 1, 3600), 90);
  EXPECT_EQ(cli::parse_duration("--budget", "1h", 1, 3600), 3600);
  for (const char* bad : {"", "2", "m", "2 m", "2min", "-2m", "2e1s", "0s", "2h", "nan", "infs", "1m30s"}) {
    EXPECT_THROW(cli::parse_duration("--budget", bad, 1, 3600), InvalidArgument) << bad;
  }
}

TEST(HandlerLoad, BalancesAndFindsALostHandler) {
  cli::HandlerLoadOptions options;
  options.runtime.device = "cpu";
  options.seed = 7;
  options.threads = 8;
  const cli::HandlerLoadResult good = run_handler_load(options);
  EXPECT_EQ(good.failures, std::vector<std::string>{});
  EXPECT_EQ(good.registered, good.run + good.abandoned);
  EXPECT_GE(good.registered, 200U);
  options.lose_one = true;
  EXPECT_FALSE(run_handler_load(options).failures.empty());
}

}  // namespace
}  // namespace heddle::test
