// Random numbers through the public surface: the sequence is the reference's, whatever lists and commits it crosses.
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "heddle/backends/cpu/kernels/philox.hpp"
#include "heddle/heddle.hpp"
#include "heddle/ops/random/random.hpp"

namespace heddle {
namespace {

void expect_normals(const Tensor& actual, const GeneratorState& state, std::uint64_t block) {
  const std::vector<float> numbers = actual.to_host();
  std::vector<double> expected(numbers.size());
  cpu::reference_normals(state, block, numbers.size(), expected.data());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    // The bound that philox.hpp gives every kernel.
    ASSERT_NEAR(numbers[i], expected[i], 4e-6 + 1e-6 * std::abs(expected[i])) << "number " << i;
  }
}

void expect_uniforms(const Tensor& actual, const GeneratorState& state, std::uint64_t block) {
  const std::vector<float> numbers = actual.to_host();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto words = cpu::philox_block(state.seed, state.subsequence, block + i / 4);
    ASSERT_EQ(numbers[i], cpu::uniform_from_word(words[i % 4])) << "number " << i;
  }
}

class RandomTest : public testing::TestWithParam<CpuKernels> {
 protected:
  static Options options() {
    Options result;
    result.cpu_kernels = GetParam();
    result.seed = 77;
    return result;
  }

  Runtime runtime_{options()};
};

TEST_P(RandomTest, NumbersAreTheReferences) {
  for (const std::int64_t size : {1, 3, 4, 5, 1000, 65537}) {
    Generator generator(runtime_, 42, 7);
    expect_normals(randn(generator, Shape{size}), {42, 7, 0}, 0);
    expect_uniforms(uniform(generator, Shape{size}), {42, 7, 0}, (static_cast<std::uint64_t>(size) + 3) / 4);
  }
}

TEST_P(RandomTest, TheSequenceGoesOnWithinAListAndAcrossLists) {
  Generator generator(runtime_, 9);
  const Tensor first = randn(generator, Shape{5});        // 2 blocks
  const Tensor second = uniform(generator, Shape{2, 3});  // 2 blocks, in the same list
  runtime_.commit();
  const Tensor third = randn(generator, Shape{1});  // 1 block
  runtime_.synchronize();
  const Tensor fourth = randn(generator, Shape{100});
  expect_normals(first, {9, 0, 0}, 0);
  expect_uniforms(second, {9, 0, 0}, 2);
  expect_normals(third, {9, 0, 0}, 4);
  expect_normals(fourth, {9, 0, 0}, 5);
}

TEST_P(RandomTest, TheSequenceGoesOnAcrossListsThatCommitThemselves) {
  Generator generator(runtime_, 9);
  std::vector<Tensor> draws;
  draws.reserve(2000);
  for (int i = 0; i < 2000; ++i) draws.push_back(randn(generator, Shape{4}));
  for (std::size_t i = 0; i < draws.size(); i += 97) expect_normals(draws[i], {9, 0, 0}, i);
}

TEST_P(RandomTest, EmptyDrawsUseNothing) {
  Generator generator(runtime_, 3);
  EXPECT_EQ(randn(generator, Shape{0, 4}).to_host().size(), 0U);
  EXPECT_EQ(uniform(runtime_, Shape{0}).to_host().size(), 0U);
  expect_normals(randn(generator, Shape{8}), {3, 0, 0}, 0);
}

TEST_P(RandomTest, EqualSeedsGiveEqualNumbersAndOthersDoNot) {
  Generator a(runtime_, 5, 1);
  Generator b(runtime_, 5, 1);
  Generator other_seed(runtime_, 6, 1);
  Generator other_subsequence(runtime_, 5, 2);
  const std::vector<float> numbers = randn(a, Shape{64}).to_host();
  EXPECT_EQ(numbers, randn(b, Shape{64}).to_host());
  EXPECT_NE(numbers, randn(other_seed, Shape{64}).to_host());
  EXPECT_NE(numbers, randn(other_subsequence, Shape{64}).to_host());
}

TEST_P(RandomTest, TheDefaultGeneratorIsTheStreams) {
  const std::uint64_t subsequence = (std::uint64_t{1} << 32) + runtime_.stream().id().value;
  const Tensor first = randn(runtime_, Shape{10});  // 3 blocks
  const Tensor second = uniform(runtime_, Shape{6});
  expect_normals(first, {77, subsequence, 0}, 0);
  expect_uniforms(second, {77, subsequence, 0}, 3);
}

TEST_P(RandomTest, AGeneratorMayGoBeforeItsDrawsHaveRun) {
  Tensor numbers;
  {
    Generator generator(runtime_, 11);
    numbers = randn(generator, Shape{16});
  }
  // Takes the state's memory if that was given back too early: the list would then advance the wrong words.
  const Tensor next = full(runtime_, Shape{6}, 1.0F);
  expect_normals(numbers, {11, 0, 0}, 0);
  EXPECT_EQ(next.to_host(), std::vector<float>(6, 1.0F));
}

INSTANTIATE_TEST_SUITE_P(Cpu, RandomTest, testing::Values(CpuKernels::kBest, CpuKernels::kPortable),
                         [](const auto& kernels) { return kernels.param == CpuKernels::kBest ? "Best" : "Portable"; });

}  // namespace
}  // namespace heddle
