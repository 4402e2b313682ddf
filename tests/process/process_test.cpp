// Whole processes: each test starts programs that end, fork, unload or receive signals while the library works.
//
// The scenarios check their own results in *_scenarios.cpp. Checked here: each ends in time, with its exit code, and
// prints nothing.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "process/child_process.hpp"

namespace heddle::test {
namespace {

constexpr int kSeeds = 3;
constexpr std::chrono::seconds kMost{20};

void expect_ends(std::vector<std::string> command, int exit_code, int seeds = kSeeds) {
  std::string line;
  for (const std::string& word : command) line += word + " ";
  for (int seed = 1; seed <= seeds; ++seed) {
    std::vector<std::string> seeded = command;
    seeded.push_back(std::to_string(seed));
    const Ended ended = run_process(seeded, kMost);
    EXPECT_FALSE(ended.timed_out) << line << seed << " hung\n" << ended.output;
    EXPECT_EQ(ended.exit_code, exit_code) << line << seed << '\n' << ended.output;
    EXPECT_EQ(ended.output, "") << line << seed << ": the library prints nothing by itself";
  }
}

void expect_scenario(const std::string& name, int exit_code = 3) {
  expect_ends({HEDDLE_PROCESS_SCENARIO, name}, exit_code);
}

// A scenario that takes 2 s whatever its seed.
void expect_stuck_scenario(const std::string& name) { expect_ends({HEDDLE_PROCESS_SCENARIO, name}, 3, 2); }

void expect_plugin(const std::string& mode) {
  expect_ends({HEDDLE_PROCESS_PLUGIN_HOST, mode, HEDDLE_PROCESS_PLUGIN}, 3);
}

TEST(Process, C49_ReturnFromMainWithWork) { expect_scenario("return_with_work"); }
TEST(Process, C49_ExitWithWork) { expect_scenario("exit_with_work"); }
TEST(Process, C49_QuickExitWithWork) { expect_scenario("quick_exit_with_work"); }
TEST(Process, C48_ReturnWhileDetachedThreadsRecord) { expect_scenario("return_with_detached_threads"); }
TEST(Process, C48_ExitWhileThreadsRecord) { expect_scenario("exit_while_recording"); }
TEST(Process, C48_QuickExitWhileThreadsRecord) { expect_scenario("quick_exit_while_recording"); }
TEST(Process, C48_ExitOnAWorkerThread) { expect_scenario("exit_on_a_worker"); }
TEST(Process, C48_ExitWithTwoRuntimes) { expect_scenario("exit_with_two_runtimes"); }
TEST(Process, C49_ExitInACustomOperation) { expect_scenario("exit_in_custom_operation"); }

TEST(Process, C49_ExitInAHandler) { expect_scenario("exit_in_handler"); }
TEST(Process, C49_ExitInAnExecutor) { expect_scenario("exit_in_executor"); }
TEST(Process, C49_ExitDuringAShutdown) { expect_scenario("exit_during_shutdown"); }
TEST(Process, C48_ExecutorAliveAtExit) { expect_scenario("executor_at_exit"); }
TEST(Process, C49_ExecutorThatNeverRuns) { expect_scenario("executor_that_never_runs"); }
TEST(Process, C49_HandlerThatNeverReturns) { expect_scenario("handler_never_returns"); }

TEST(Process, C48_RuntimeNeverDestroyed) { expect_scenario("leaked_runtime"); }
TEST(Process, C47_C48_StaticRuntime) { expect_scenario("static_runtime"); }
TEST(Process, C47_C48_StaticRuntimeByValue) { expect_scenario("static_runtime_by_value"); }
TEST(Process, C48_ObjectsInStaticDestructors) { expect_scenario("static_objects"); }
TEST(Process, C48_ObjectsInThreadLocalDestructors) { expect_scenario("thread_local_objects"); }
TEST(Process, C48_C56_ThreadLocalsOutliveTheRuntime) { expect_scenario("thread_locals_outlive_the_runtime"); }
TEST(Process, C56_ThreadEndsWithWorkAndHandlers) { expect_scenario("thread_ends_with_work"); }

TEST(Process, C51_R16_ForkedChildReturns) { expect_scenario("fork_child_returns", 0); }
TEST(Process, C51_R16_ForkedChildExits) { expect_scenario("fork_child_exits", 0); }
TEST(Process, C51_R16_ForkOnAWorkerThread) { expect_scenario("fork_on_a_worker", 0); }
TEST(Process, C51_R16_ForkTwiceAndExec) { expect_scenario("fork_twice", 0); }
TEST(Process, C51_ForkAfterTheRuntimeEnded) { expect_scenario("fork_after_the_runtime_ended", 0); }
TEST(Process, C51_R16_ForkWithWhatOutlivedTheRuntime) { expect_scenario("fork_with_what_outlived_the_runtime", 0); }
TEST(Process, C51_R16_ForkInAHandler) { expect_scenario("fork_in_handler", 0); }
TEST(Process, C51_R16_ForkInACustomOperation) { expect_scenario("fork_in_custom_operation", 0); }

TEST(Process, C47_LastOwnersGoInsideCallbacks) { expect_scenario("last_owners"); }
TEST(Process, C50_LastReferencesGoInsideCallbacks) { expect_scenario("last_references"); }
TEST(Process, C19_RequestShutdownInside) { expect_scenario("request_shutdown_inside"); }
TEST(Process, C51_ForkAfterTheReaper) { expect_scenario("fork_after_the_reaper"); }
TEST(Process, RuntimesLeaveNoHostMemory) { expect_scenario("runtimes_leave_nothing"); }
TEST(Process, C49_StuckStaticRuntime) { expect_stuck_scenario("stuck_static"); }
TEST(Process, C49_StuckStaticRuntimes) { expect_stuck_scenario("stuck_statics"); }
TEST(Process, C49_StuckRuntimeNeverDestroyed) { expect_stuck_scenario("stuck_leaked"); }
TEST(Process, C49_StuckThreadLocalRuntime) { expect_stuck_scenario("stuck_thread_local"); }
TEST(Process, C49_StuckRuntimeInAnExitHandler) { expect_stuck_scenario("stuck_in_exit_handler"); }
TEST(Process, C49_StuckShutdownInAStaticDestructor) { expect_stuck_scenario("stuck_shutdown_in_static"); }
TEST(Process, C49_StuckRuntimeInTheReaper) { expect_stuck_scenario("stuck_in_the_reaper"); }
TEST(Process, C49_AStuckRuntimeBesideOthers) { expect_stuck_scenario("stuck_beside_work"); }

TEST(Process, C52_SignalStorm) { expect_scenario("signal_storm", 0); }

TEST(Process, C48_PluginUnusedIsUnloaded) { expect_plugin("unused"); }
TEST(Process, C48_PluginClosedWhileItsWorkRuns) { expect_plugin("running"); }
TEST(Process, C48_PluginClosedAfterItsRuntime) { expect_plugin("finished"); }

#ifdef HEDDLE_PROCESS_THREAD_MEMORY
// Its argument: the number of memory-free pthread keys that the program takes for itself.
TEST(Process, C30_FirstUsesOfThreadsWithoutHostMemory) {
  for (const char* keys : {"0", "40"}) {
    const Ended ended = run_process({HEDDLE_PROCESS_THREAD_MEMORY, keys}, kMost);
    EXPECT_FALSE(ended.timed_out);
    EXPECT_EQ(ended.exit_code, 0) << keys << " keys\n" << ended.output;
    EXPECT_EQ(ended.output, "");
  }
}
#endif

// A scenario that no test names would run only in the soak.
TEST(Process, EveryScenarioHasATest) {
  std::stringstream list(run_process({HEDDLE_PROCESS_SCENARIO, "--list"}, kMost).output);
  int scenarios = 0;
  for (std::string line; std::getline(list, line);) ++scenarios;
  EXPECT_EQ(scenarios, 44);
}

}  // namespace
}  // namespace heddle::test
