// Random numbers: published answers, every vector target against the scalar definition, and the distribution.
#include "heddle/backends/cpu/kernels/philox.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "heddle/backends/cpu/kernels/random_simd.hpp"

namespace heddle::cpu {
namespace {

// Calls `body` once for each vector target that this processor and this build have.
template <class Body>
void for_each_target(const Body& body) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    body();
    hwy::SetSupportedTargetsForTest(0);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

constexpr std::uint64_t kCounts[] = {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 127, 1000, 4096, 65537};

// The second one's block number carries into the upper word of the counter within a draw.
constexpr GeneratorState kStates[] = {{0, 0, 0}, {0x123456789ABCDEF0, 0xFEDCBA9876543210, 0xFFFFFFE0}};

TEST(Philox, KnownAnswers) {
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  static_assert(philox({0, 0, 0, 0}, {0, 0}) == PhiloxWords{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8});
  static_assert(philox({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
                PhiloxWords{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD});
  static_assert(philox({0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344}, {0xA4093822, 0x299F31D0}) ==
                PhiloxWords{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1});
}

TEST(Philox, UniformsAreTheSameBitsOnEveryTarget) {
  for_each_target([] {
    for (const GeneratorState& state : kStates) {
      for (const std::uint64_t count : kCounts) {
        std::vector<float> out(count + 1, -7.0F);
        simd_uniforms(state, 5, count, out.data());
        for (std::uint64_t i = 0; i < count; ++i) {
          const PhiloxWords words = philox_block(state.seed, state.subsequence, state.block + 5 + i / 4);
          ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(uniform_from_word(words[i % 4])))
              << "number " << i << " of " << count;
        }
        ASSERT_EQ(out[count], -7.0F) << "wrote behind the end";
      }
    }
  });
}

TEST(Philox, NormalsFollowTheFormulaOnEveryTarget) {
  for_each_target([] {
    for (const GeneratorState& state : kStates) {
      for (const std::uint64_t count : kCounts) {
        std::vector<float> out(count + 1, -7.0F);
        std::vector<double> want(count);
        simd_normals(state, 5, count, out.data());
        reference_normals(state, 5, count, want.data());
        for (std::uint64_t i = 0; i < count; ++i) {
          ASSERT_NEAR(static_cast<double>(out[i]), want[i], 4e-6 + 1e-6 * std::abs(want[i])) << i << " of " << count;
        }
        ASSERT_EQ(out[count], -7.0F) << "wrote behind the end";
      }
    }
  });
}

TEST(Philox, NormalsStayCloseOverManyBlocks) {
  constexpr std::uint64_t kCount = std::uint64_t{1} << 20;
  std::vector<float> out(kCount);
  std::vector<double> want(kCount);
  for_each_target([&] {
    const GeneratorState state{77, 1, 0};
    simd_normals(state, 0, kCount, out.data());
    reference_normals(state, 0, kCount, want.data());
    double worst = 0;
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const double error = std::abs(static_cast<double>(out[i]) - want[i]) / (4e-6 + 1e-6 * std::abs(want[i]));
      worst = error < worst ? worst : error;  // keeps a NaN
    }
    EXPECT_LT(worst, 1.0);
  });
}

TEST(Philox, OneReferenceNumberEqualsTheRange) {
  std::vector<double> range(101);
  reference_normals(kStates[1], 9, range.size(), range.data());
  for (std::uint64_t i = 0; i < range.size(); ++i) EXPECT_EQ(reference_normal(kStates[1], 9, i), range[i]);
}

TEST(Philox, DrawsContinueWhereTheBlockOffsetSays) {
  std::vector<float> whole(256), parts(256);
  simd_normals(kStates[0], 0, 256, whole.data());
  for (std::uint64_t at = 0; at < 256; at += 32) simd_normals(kStates[0], at / 4, 32, parts.data() + at);
  EXPECT_EQ(whole, parts);
}

// The largest distance between the empirical distribution of `sample` and `cumulative`.
template <class Cumulative>
double kolmogorov_smirnov(std::vector<float>& sample, const Cumulative& cumulative) {
  std::sort(sample.begin(), sample.end());
  const auto n = static_cast<double>(sample.size());
  double distance = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double value = cumulative(static_cast<double>(sample[i]));
    const auto rank = static_cast<double>(i);
    distance = std::max({distance, value - rank / n, (rank + 1) / n - value});
  }
  return distance;
}

class Distribution : public testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::uint64_t kCount = 200'000;
  // Far out in the tails (p below 1e-5), because seeds are fixed and a failure should mean a defect.
  static constexpr double kSigmas = 4.5;
  static constexpr double kKolmogorov = 2.5;  // of sqrt(n) * distance

  static double moment(const std::vector<float>& sample, int power) {
    double total = 0;
    for (const float x : sample) total += std::pow(static_cast<double>(x), power);
    return total / static_cast<double>(sample.size());
  }
};

TEST_P(Distribution, Normal) {
  std::vector<float> sample(kCount);
  simd_normals({GetParam(), 3, 0}, 0, kCount, sample.data());
  const double n = kCount;
  EXPECT_NEAR(moment(sample, 1), 0, kSigmas / std::sqrt(n));
  EXPECT_NEAR(moment(sample, 2), 1, kSigmas * std::sqrt(2 / n));
  EXPECT_NEAR(moment(sample, 3), 0, kSigmas * std::sqrt(15 / n));
  EXPECT_NEAR(moment(sample, 4), 3, kSigmas * std::sqrt(96 / n));
  double lag = 0;  // neighbours are the two halves of a Box-Muller pair, or of two pairs
  for (std::size_t i = 1; i < sample.size(); ++i)
    lag += static_cast<double>(sample[i]) * static_cast<double>(sample[i - 1]);
  EXPECT_NEAR(lag / n, 0, kSigmas / std::sqrt(n));
  const auto normal = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
  EXPECT_LT(kolmogorov_smirnov(sample, normal) * std::sqrt(n), kKolmogorov);
}

TEST_P(Distribution, Uniform) {
  std::vector<float> sample(kCount);
  simd_uniforms({GetParam(), 4, 0}, 0, kCount, sample.data());
  const double n = kCount;
  EXPECT_NEAR(moment(sample, 1), 0.5, kSigmas * std::sqrt(1 / 12.0 / n));
  EXPECT_NEAR(moment(sample, 2), 1 / 3.0, kSigmas * std::sqrt(4 / 45.0 / n));
  EXPECT_GE(*std::min_element(sample.begin(), sample.end()), 0.0F);
  EXPECT_LT(*std::max_element(sample.begin(), sample.end()), 1.0F);
  EXPECT_LT(kolmogorov_smirnov(sample, [](double x) { return x; }) * std::sqrt(n), kKolmogorov);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Distribution, testing::Values(0, 1, 42, 0xDEADBEEFCAFEF00D));

}  // namespace
}  // namespace heddle::cpu
