// 2,000 random programs on the CPU device and 2,000 on the simulated one, in parts, so that ctest runs several in
// parallel. The simulated device computes little: checked there are order, counts, and the values that it does compute.
// The seeds are the same each time; heddle_random_programs runs others.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "random/runner.hpp"

namespace heddle::programs {
namespace {

constexpr int kParts = 8;
constexpr std::uint64_t kSeeds = 2000;

class RandomTensorPrograms : public testing::TestWithParam<std::tuple<const char*, int>> {};

TEST_P(RandomTensorPrograms, HaveEveryValueRight) {
  const auto [device, part] = GetParam();
  Runs runs;
  runs.device = device;
  runs.count = kSeeds / kParts;
  runs.base = 1 + static_cast<std::uint64_t>(part) * runs.count;
  runs.jobs = 3;  // a program waits most of its time
  run_programs(runs, [](const std::string& failure) { ADD_FAILURE() << failure; });
}

INSTANTIATE_TEST_SUITE_P(Parts, RandomTensorPrograms,
                         testing::Combine(testing::Values("cpu", "sim"), testing::Range(0, kParts)),
                         [](const auto& part) {
                           return std::string(std::get<0>(part.param)) + "_" + std::to_string(std::get<1>(part.param));
                         });

}  // namespace
}  // namespace heddle::programs
