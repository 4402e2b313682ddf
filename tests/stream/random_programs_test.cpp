// Random programs: see random_program.hpp. A failure prints its seed; to run that program alone, many times:
//
//   build/release/bin/test_stream --gtest_filter='RandomPrograms.OneSeed' --gtest_random_seed=SEED
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "stream/random_program.hpp"

namespace heddle {
namespace {

// Programs with seeds in [first, last), on two threads.
void run_programs(std::uint64_t first, std::uint64_t last) {
  sync::Atomic<std::uint64_t> next{first};
  sync::Atomic<int> failures{0};
  std::vector<std::thread> runners;
  for (int t = 0; t < 2; ++t) {
    runners.emplace_back([&] {
      while (failures.load() < 5) {
        const std::uint64_t seed = next.fetch_add(1);
        if (seed >= last) break;
        const std::string wrongs = RandomProgram(seed).run();
        if (wrongs.empty()) continue;
        failures.fetch_add(1);
        ADD_FAILURE() << "seed " << seed << ":\n" << wrongs;
      }
    });
  }
  for (auto& runner : runners) runner.join();
}

TEST(RandomPrograms, TwoHundred) { run_programs(1, 201); }

// Part of ./dev test --extended.
TEST(RandomPrograms, DISABLED_TenThousand) { run_programs(1, 10'001); }

TEST(RandomPrograms, OneSeed) {
  const auto seed = static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed));
  if (seed == 0) GTEST_SKIP() << "give a seed with --gtest_random_seed";
  for (int i = 0; i < 50; ++i) {
    const std::string wrongs = RandomProgram(seed).run();
    ASSERT_TRUE(wrongs.empty()) << "seed " << seed << ", run " << i << ":\n" << wrongs;
  }
}

}  // namespace
}  // namespace heddle
