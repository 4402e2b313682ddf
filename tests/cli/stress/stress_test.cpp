// heddle stress: passes in every mode of the check, fails for every planted fault, and reports both in text and JSON.
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace heddle::test {
namespace {

using Json = nlohmann::ordered_json;

const std::string kSmall = "stress --threads 4 --iterations 20 --sync-every 5 --size 32 ";

Json stress_json(const std::string& arguments, int exit_code = 0) {
  const CommandResult result = run_heddle(arguments + " --json");
  EXPECT_EQ(result.exit_code, exit_code) << result.out << result.err;
  EXPECT_EQ(result.err, "");
  return Json::parse(result.out, nullptr, false);
}

TEST(Stress, ChecksWhatItSays) {
  EXPECT_EQ(stress_json(kSmall + "--check sampled")["checked"], 4 * 4);
  EXPECT_EQ(stress_json(kSmall + "--check full")["checked"], 4 * 20);
  EXPECT_EQ(stress_json(kSmall + "--check off")["checked"], 0);
}

TEST(Stress, RunsOnTheSecondDevice) {
  const Json info = Json::parse(run_heddle("info --json").out, nullptr, false);
  if (!info.contains("cuda_devices") || info["cuda_devices"].size() < 2) GTEST_SKIP() << "there are no two devices";
  EXPECT_EQ(stress_json(kSmall + "--device cuda:1 --check full")["checked"], 4 * 20);
  stress_json(kSmall + "--device cuda:1 --inject element", 1);
}

TEST(Stress, JsonHasItsKeysInOrder) {
  const Json json = stress_json(kSmall);
  const std::vector<std::string> wanted = {"device",      "threads",          "iterations", "size",
                                           "sync_every",  "total_iterations", "seconds",    "iterations_per_second",
                                           "cpu_seconds", "checked",          "errors",     "executed",
                                           "pass",        "build_id"};
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  ASSERT_GE(keys.size(), wanted.size());
  keys.resize(wanted.size());
  EXPECT_EQ(keys, wanted);
  EXPECT_EQ(json["executed"], (Json{{"randn", 80}, {"matmul", 80}, {"sum", 80}}));
  EXPECT_EQ(json["pass"], true);
}

TEST(Stress, TextEndsWithTheResult) {
  const CommandResult passed = run_heddle(kSmall);
  EXPECT_TRUE(passed.out.ends_with("\nPASS\n")) << passed.out;
  EXPECT_EQ(passed.err, "");
  const CommandResult failed = run_heddle(kSmall + "--inject row");
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_TRUE(failed.out.ends_with("\nFAIL\n")) << failed.out;
}

TEST(Stress, ShapesOfTheRun) {
  for (const char* arguments :
       {"--threads 1 --iterations 1 --size 32", "--threads 4 --iterations 20 --sync-every 1 --size 32",
        "--threads 4 --iterations 20 --sync-every 7 --size 32",
        "--threads 4 --iterations 20 --sync-every 1000 --size 32",
        "--threads 4 --iterations 300 --sync-every 300 --size 8", "--threads 4 --streams 1 --iterations 20 --size 32",
        "--threads 5 --streams 2 --iterations 20 --size 32", "--threads 2 --iterations 5 --size 1",
        "--threads 2 --iterations 5 --size 33", "--threads 2 --iterations 5 --size 32 --seed 18446744073709551615",
        "--threads 140 --iterations 3 --size 32"}) {
    const std::string line = std::string("stress ") + arguments;
    EXPECT_EQ(stress_json(line)["pass"], true) << line;
  }
}

TEST(Stress, SecondsWarmUpAndRunThatLong) {
  const Json json = stress_json("stress --threads 2 --size 16 --sync-every 10 --seconds 0.3");
  EXPECT_EQ(json["pass"], true);
  EXPECT_EQ(json["warmup_iterations"], 20);
  EXPECT_GE(json["seconds"], 0.3);
  EXPECT_GT(json["checked"], 0);
}

TEST(Stress, ARunOfSecondsThatChecksAllEndsInTime) {
  // Comparing one sum takes several times as long as computing it: comparing afterwards would far exceed the second.
  const auto begin = std::chrono::steady_clock::now();
  const Json json = stress_json("stress --threads 8 --size 64 --sync-every 4 --seconds 1 --check full");
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(json["pass"], true);
  EXPECT_EQ(json["checked"], json["total_iterations"]);
  EXPECT_EQ(json["unchecked_lists"], 0);
  EXPECT_EQ(json["unchecked_sums"], 0);
  EXPECT_LT(spent.count(), 60);
}

TEST(Stress, ARunOfSecondsFindsWhatIsPlantedAsItGoes) {
  const Json json =
      stress_json("stress --threads 2 --size 64 --sync-every 4 --seconds 0.3 --check full --inject row", 1);
  EXPECT_GT(json["errors"], 0);
  EXPECT_FALSE(json["first_errors"].empty());
}

#ifndef HEDDLE_SANITIZED
// Threads that find no memory, or cannot be started, give one line and exit code 1, whatever cannot be reported any
// more.
TEST(Stress, WithoutMemoryItSaysOneLine) {
  for (long mebibytes = 96; mebibytes <= 320; mebibytes += 16) {
    const CommandResult result =
        run_heddle("stress --threads 8 --iterations 40 --size 64 --sync-every 10",
                   "HEDDLE_CPU_KERNELS=portable timeout 60 prlimit --as=" + std::to_string(mebibytes << 20));
    EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 1 || result.exit_code == 2) << mebibytes << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), result.exit_code == 0 ? 0 : 1) << result.err;
  }
}

TEST(Stress, AThreadThatCannotBeStartedIsNoBadInput) {
  // Affects any thread: a worker of the device, the handler thread or one of the loop. Root has no such limit.
  for (const char* processes : {"1", "2", "3", "4", "5", "8"}) {
    const CommandResult result = run_heddle(
        "stress --threads 8 --iterations 4 --size 8",
        std::string(::geteuid() == 0 ? "setpriv --reuid 47113 --clear-groups --inh-caps=-all --bounding-set=-all "
                                     : "") +
            "prlimit --nproc=" + processes);
    if (result.err.find("Permission denied") != std::string::npos) GTEST_SKIP() << "only root can run the program";
    if (result.exit_code == 0) continue;
    EXPECT_EQ(result.exit_code, 1) << processes << ": " << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}
#endif

struct Fault {
  const char* inject;
  int size;
};

// Gives the test its name; otherwise it would contain a pointer and change with every build.
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.inject << " " << fault.size; }

class InjectTest : public ::testing::TestWithParam<Fault> {};

TEST_P(InjectTest, Fails) {
  const std::string rest = std::string(" --threads 2 --iterations 8 --sync-every 2 --inject ") + GetParam().inject;
  const Json json = stress_json("stress --size " + std::to_string(GetParam().size) + rest, 1);
  EXPECT_EQ(json["pass"], false);
  EXPECT_GT(json["errors"], 0);
  EXPECT_LE(json["errors"], 4);  // those of one thread
}

INSTANTIATE_TEST_SUITE_P(Sizes, InjectTest,
                         ::testing::Values(Fault{"stale", 64}, Fault{"stale", 256}, Fault{"stale", 1024},
                                           Fault{"swap", 64}, Fault{"swap", 256}, Fault{"swap", 1024},
                                           Fault{"element", 64}, Fault{"element", 256}, Fault{"element", 1024},
                                           Fault{"row", 64}, Fault{"row", 256}, Fault{"row", 1024}));

TEST(Stress, SwapFailsWithOneThread) { stress_json("stress --threads 1 --iterations 2 --size 64 --inject swap", 1); }

TEST(Stress, MemoryLimitBelowTheLiveSetIsOneLine) {
  const CommandResult result = run_heddle("stress --threads 8 --iterations 4 --size 256 --memory-limit 400K");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

TEST(Stress, MemoryStaysBelowItsLimit) {
  // Twice the live set: two matrices of 16 KiB per thread.
  const Json json = stress_json("stress --threads 8 --iterations 80 --size 64 --memory-limit 512K");
  EXPECT_EQ(json["pass"], true);
  EXPECT_LE(json["memory"]["reserved_peak"], 512 * 1024);
}

TEST(StressFamily, RunsAllAndRepeats) {
  const Json json = stress_json("stress --family --iterations 10 --size 16 --repeat 2");
  ASSERT_EQ(json.size(), 14U);
  std::vector<int> threads;
  for (const Json& one : json) {
    threads.push_back(one["threads"]);
    EXPECT_EQ(one["sync_every"], 1);
    EXPECT_EQ(one["pass"], true);
  }
  threads.resize(7);
  EXPECT_EQ(threads, (std::vector<int>{8, 16, 20, 32, 48, 64, 80}));
}

}  // namespace
}  // namespace heddle::test
