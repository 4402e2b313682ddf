// Bad input: exit code 2, nothing on stdout, one line on stderr with the mistake and the allowed values.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>

#include "cli/command.hpp"

namespace heddle::test {
namespace {

struct BadInput {
  const char* arguments;
  const char* environment;
  const char* said;  // part of the line
};

// Gives the test its name; otherwise it would contain pointers and change with every build.
void PrintTo(const BadInput& input, std::ostream* out) {
  *out << input.environment << (*input.environment == '\0' ? "" : " ") << "heddle " << input.arguments;
}

class BadInputTest : public ::testing::TestWithParam<BadInput> {};

TEST_P(BadInputTest, OneLineAndExitCodeTwo) {
  const CommandResult result = run_heddle(GetParam().arguments, GetParam().environment);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  EXPECT_TRUE(result.err.starts_with("heddle: ")) << result.err;
  EXPECT_NE(result.err.find(GetParam().said), std::string::npos) << result.err;
  EXPECT_TRUE(result.err.find("allowed") != std::string::npos || result.err.find("devices: ") != std::string::npos)
      << result.err;
}

INSTANTIATE_TEST_SUITE_P(
    Options, BadInputTest,
    ::testing::Values(
        BadInput{"", "", "no command"}, BadInput{"weave", "", "weave"}, BadInput{"stress --threads 0", "", "1 to 1024"},
        BadInput{"stress --threads -4", "", "--threads"}, BadInput{"stress --threads 1025", "", "--threads"},
        BadInput{"stress --threads many", "", "many"}, BadInput{"stress --threads 4.5", "", "4.5"},
        BadInput{"stress --threads ''", "", "--threads"},
        BadInput{"stress --threads 99999999999999999999", "", "--threads"},
        BadInput{"stress --threads", "", "--threads"}, BadInput{"stress --iterations 0", "", "--iterations"},
        BadInput{"stress --iterations 100000001", "", "--iterations"},
        BadInput{"stress --sync-every 0", "", "--sync-every"},
        BadInput{"stress --sync-every 1000001", "", "--sync-every"}, BadInput{"stress --size 0", "", "--size"},
        BadInput{"stress --size 16385", "", "--size"}, BadInput{"stress --streams 0", "", "--streams"},
        BadInput{"stress --streams 1025", "", "--streams"}, BadInput{"stress --seed x", "", "--seed"},
        BadInput{"stress --seconds 0", "", "--seconds"}, BadInput{"stress --seconds -1", "", "--seconds"},
        BadInput{"stress --seconds 1e9", "", "--seconds"}, BadInput{"stress --seconds nan", "", "--seconds"},
        BadInput{"stress --check some", "", "sampled"}, BadInput{"stress --inject all", "", "stale"},
        BadInput{"stress --inject row --check off", "", "--check"},
        BadInput{"stress --inject element --size 2048", "", "--size"}, BadInput{"stress --device abacus", "", "abacus"},
        BadInput{"stress --device sim", "", "--check off"}, BadInput{"stress --device cuda:1000", "", "cuda"},
        BadInput{"stress --memory-limit 0", "", "--memory-limit"}, BadInput{"stress --memory-limit 3X", "", "3X"},
        BadInput{"stress --memory-limit 16K --size 256", "", "262144"},
        BadInput{"stress --family --threads 4", "", "--threads"},
        BadInput{"stress --family --repeat 0", "", "--repeat"}, BadInput{"stress --repeat 2", "", "--family"},
        BadInput{"stress --weave", "", "--weave"}, BadInput{"stress 12", "", "12"},
        BadInput{"verify --budget 2", "", "--budget"}, BadInput{"verify --budget soon", "", "soon"},
        BadInput{"verify --budget 0s", "", "1s to 24h"}, BadInput{"verify --round 0", "", "--round"},
        BadInput{"verify --round one", "", "one"}, BadInput{"verify --rounds 0", "", "--rounds"},
        BadInput{"verify --until 3", "", "--until"}, BadInput{"verify --rounds 2 --until 3m", "", "--until"},
        BadInput{"verify --round 2 --rounds 3", "", "--round"}, BadInput{"verify --round 2 --until 3m", "", "--round"},
        BadInput{"verify --device abacus", "", "abacus"}, BadInput{"verify --device sim", "", "computes nothing"},
        BadInput{"verify --device cuda", "", "cuda"}, BadInput{"verify --check-program /nowhere", "", "/nowhere"},
        BadInput{"verify --source /usr", "", "/usr"}, BadInput{"verify --weave", "", "--weave"},
        BadInput{"verify-attempt 4", "", "4"}, BadInput{"ledger --out /nowhere", "", "/nowhere"},
        BadInput{"\"$(printf 'a\\033[31m\\nb')\"", "", "a\\x1b[31m\\nb"}, BadInput{"info --weave", "", "--weave"},
        BadInput{"bench weave", "", "weave"}, BadInput{"bench record --runs 0", "", "--runs"},
        BadInput{"bench record --seconds 0", "", "--seconds"},
        BadInput{"bench alloc --pattern random --threads 2", "", "--threads"},
        BadInput{"bench alloc --pattern random --allocator malloc", "", "--allocator"},
        BadInput{"bench alloc --pattern soak --allocator malloc", "", "--allocator"}));

INSTANTIATE_TEST_SUITE_P(
    Environment, BadInputTest,
    ::testing::Values(BadInput{"info", "HEDDLE_STREAMS=many", "HEDDLE_STREAMS"},
                      BadInput{"info", "HEDDLE_DEVICE=abacus", "abacus"},
                      BadInput{"bench record", "HEDDLE_DEVICE=cuda:1000", "cuda"},
                      BadInput{"stress", "HEDDLE_CPU_KERNELS=fast", "HEDDLE_CPU_KERNELS"},
                      BadInput{"stress", "HEDDLE_CPU_WORKERS=0", "HEDDLE_CPU_WORKERS"},
                      BadInput{"stress", "HEDDLE_MEMORY_LIMIT=-1", "HEDDLE_MEMORY_LIMIT"},
                      BadInput{"stress", "HEDDLE_MEMORY_LIMIT=1000", "allowed: 4096 to"},
                      BadInput{"stress", "HEDDLE_MEMORY_HIGH=some", "HEDDLE_MEMORY_HIGH"},
                      BadInput{"info", "HEDDLE_MEMORY_LIMIT=64M HEDDLE_MEMORY_HIGH=65M", "HEDDLE_MEMORY_HIGH"},
                      BadInput{"info", "HEDDLE_MEMORY_HIGH=32M HEDDLE_MEMORY_LOW=33M", "low <= high <= limit"},
                      BadInput{"stress", "HEDDLE_WAIT=long", "HEDDLE_WAIT"},
                      BadInput{"stress", "HEDDLE_STREAMS_MAX=0", "HEDDLE_STREAMS_MAX"}));

}  // namespace
}  // namespace heddle::test
