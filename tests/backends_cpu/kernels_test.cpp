// Each kernel alone, best and portable, against double precision.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "heddle/backends/cpu/kernels/kernel.hpp"
#include "heddle/backends/cpu/kernels/philox.hpp"
#include "heddle/device/scalar_maps.hpp"

namespace heddle::cpu {
namespace {

std::vector<float> numbers(std::size_t count, std::uint64_t seed) {
  std::vector<double> wide(count);
  reference_normals({seed, 0, 0}, 0, count, wide.data());
  return {wide.begin(), wide.end()};
}

class Kernels : public testing::TestWithParam<bool> {
 protected:
  template <class Args>
  void run(KernelId id, const Args& args) {
    CommandList list;
    list.append(id, args);
    const Kernel kernel = find_kernel(id, GetParam());
    ASSERT_NE(kernel, nullptr);
    KernelContext context{&list};
    kernel(CommandView(list.begin()), context);
  }

  // Product, batch by batch, in double; the tolerance grows with the sum of the terms' sizes.
  void check_matmul(MatmulArgs args) {
    const std::size_t a_size =
        static_cast<std::size_t>(args.batch * args.a_batch_stride + args.lda * (args.m + args.k));
    const std::size_t b_size =
        static_cast<std::size_t>(args.batch * args.b_batch_stride + args.ldb * (args.n + args.k));
    const std::vector<float> a = numbers(a_size + 1, 1), b = numbers(b_size + 1, 2);
    const std::vector<float> bias = numbers(static_cast<std::size_t>(args.n), 3);
    std::vector<float> out(static_cast<std::size_t>(args.batch * args.m * args.n), NAN);
    const bool biased = args.bias != nullptr;
    args.a = a.data();
    args.b = b.data();
    args.out = out.data();
    if (biased) args.bias = bias.data();
    run(KernelId::kMatmul, args);
    const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
    for (std::int64_t i = 0; i < args.batch; ++i) {
      for (std::int64_t m = 0; m < args.m; ++m) {
        for (std::int64_t n = 0; n < args.n; ++n) {
          double want = biased ? static_cast<double>(bias[at(n)]) : 0.0;
          double size = std::abs(want);
          for (std::int64_t k = 0; k < args.k; ++k) {
            const std::int64_t a_at = args.transpose_a != 0 ? k * args.lda + m : m * args.lda + k;
            const std::int64_t b_at = args.transpose_b != 0 ? n * args.ldb + k : k * args.ldb + n;
            const double term = static_cast<double>(a[at(i * args.a_batch_stride + a_at)]) *
                                static_cast<double>(b[at(i * args.b_batch_stride + b_at)]);
            want += term;
            size += std::abs(term);
          }
          ASSERT_NEAR(static_cast<double>(out[at((i * args.m + m) * args.n + n)]), want, 1e-6 * size + 1e-30)
              << i << ", " << m << ", " << n;
        }
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Implementation, Kernels, testing::Bool(),
                         [](const auto& choice) { return choice.param ? "best" : "portable"; });

TEST_P(Kernels, EveryIdHasOne) {
  for (std::size_t i = 0; i < kKernelCount; ++i) EXPECT_NE(find_kernel(static_cast<KernelId>(i), GetParam()), nullptr);
  EXPECT_EQ(find_kernel(KernelId::kCount, GetParam()), nullptr);
  EXPECT_FALSE(describe_kernels(GetParam()).empty());
}

TEST_P(Kernels, RandomDrawsAndAdvance) {
  GeneratorState state{5, 6, 7};
  for (const std::uint64_t count : {1, 63, 64, 65, 1001}) {
    std::vector<float> normals(count), uniforms(count);
    std::vector<double> want(count);
    run(KernelId::kRandn, RandomArgs{&state, 3, normals.data(), count});
    run(KernelId::kUniform, RandomArgs{&state, 3, uniforms.data(), count});
    reference_normals(state, 3, count, want.data());
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_NEAR(static_cast<double>(normals[i]), want[i], 4e-6 + 1e-6 * std::abs(want[i]));
      ASSERT_EQ(uniforms[i], uniform_from_word(philox_block(5, 6, state.block + 3 + i / 4)[i % 4]));
    }
    EXPECT_EQ(state.block, 7U) << "a draw leaves the state alone";
  }
  run(KernelId::kAdvance, AdvanceArgs{&state, 40});
  EXPECT_EQ(state.block, 47U);
}

TEST_P(Kernels, FillAndCopyBytes) {
  std::vector<float> out(103, 1.0F), copied(103, 2.0F);
  run(KernelId::kFill, FillArgs{out.data(), 102, std::bit_cast<std::uint32_t>(3.5F)});
  EXPECT_EQ(out[0], 3.5F);
  EXPECT_EQ(out[101], 3.5F);
  EXPECT_EQ(out[102], 1.0F);
  run(KernelId::kCopyBytes, CopyBytesArgs{copied.data(), out.data(), 102 * sizeof(float)});
  EXPECT_EQ(copied[101], 3.5F);
  EXPECT_EQ(copied[102], 2.0F);
}

// Two inputs with every combination of contiguous, broadcast and strided rows, in two dimensions.
TEST_P(Kernels, ElementwiseWithStrides) {
  const std::vector<float> a = numbers(20'000, 1), b = numbers(20'000, 2);
  for (const std::int64_t extent : {1, 7, 32, 100}) {
    for (const std::int64_t a_stride : {0, 1, 3}) {
      for (const std::int64_t b_stride : {0, 1, 2}) {
        for (const KernelId id : {KernelId::kAdd, KernelId::kSub, KernelId::kMul, KernelId::kDiv}) {
          std::vector<float> out(static_cast<std::size_t>(extent * 5), NAN);
          ElementwiseArgs args{out.data(), a.data(), b.data(), 2, {}};
          args.dims[0] = {5, extent, 301, 0};
          args.dims[1] = {extent, 1, a_stride, b_stride};
          run(id, args);
          for (std::int64_t i = 0; i < 5 * extent; ++i) {
            const double x = static_cast<double>(a[static_cast<std::size_t>(i / extent * 301 + i % extent * a_stride)]);
            const double y = static_cast<double>(b[static_cast<std::size_t>(i % extent * b_stride)]);
            const double want = id == KernelId::kAdd   ? x + y
                                : id == KernelId::kSub ? x - y
                                : id == KernelId::kMul ? x * y
                                                       : x / y;
            ASSERT_EQ(out[static_cast<std::size_t>(i)], static_cast<float>(want)) << kernel_name(id) << " " << i;
          }
        }
      }
    }
  }
}

// Vectors, their rest and single numbers: the same bits, whatever the numbers are.
TEST_P(Kernels, ElementwiseFunctionsGiveTheBitsOfTheirScalarForm) {
  std::vector<float> a = numbers(1003, 1), b = numbers(1003, 2);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float specials[] = {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity, 0.0F, -0.0F, 1e-45F, 3e38F};
  for (std::size_t i = 0; i < a.size(); i += 2) a[i] = specials[i / 2 % 7];
  for (std::size_t i = 0; i < b.size(); i += 3) b[i] = specials[i / 3 % 7];
  const auto check = [&](KernelId id, int inputs, auto function) {
    for (const std::int64_t stride : {1, 2}) {
      std::vector<float> out(a.size(), 9.0F);
      ElementwiseArgs args{out.data(), a.data(), inputs == 1 ? nullptr : b.data(), 1, {}};
      args.dims[0] = {1003 / stride, stride, stride, stride};
      run(id, args);
      for (std::size_t i = 0; i + 1 < a.size(); i += static_cast<std::size_t>(stride)) {
        const float want = function(a[i], b[i]);
        if (std::isnan(want)) {
          ASSERT_TRUE(std::isnan(out[i])) << kernel_name(id) << " " << i;
        } else {
          ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(want)) << kernel_name(id) << i;
        }
      }
    }
  };
#define HEDDLE_MAP(Id, name, inputs, ...) \
  check(KernelId::k##Id, inputs, [](float x, float y) { return maps::Id::apply(maps::Scalars(), x, y); });
#include "heddle/device/maps-inl.h"
}

TEST_P(Kernels, ElementwiseScalarAndInPlace) {
  float a = 3, b = 4, out = 0;
  run(KernelId::kSub, ElementwiseArgs{&out, &a, &b, 0, {}});
  EXPECT_EQ(out, -1.0F);
  std::vector<float> x = numbers(1003, 1);
  const std::vector<float> before = x;
  ElementwiseArgs args{x.data(), x.data(), x.data(), 1, {}};
  args.dims[0] = {1003, 1, 1, 1};
  run(KernelId::kAdd, args);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(x[i], before[i] + before[i]);
}

TEST_P(Kernels, ReluKeepsNaN) {
  for (const std::int64_t stride : {1, 2}) {
    std::vector<float> in = numbers(200, 4), out(200, 9.0F);
    in[0] = in[66] = std::numeric_limits<float>::quiet_NaN();
    in[2] = -std::numeric_limits<float>::infinity();
    in[4] = std::numeric_limits<float>::infinity();
    ElementwiseArgs args{out.data(), in.data(), nullptr, 1, {}};
    args.dims[0] = {200 / stride, stride, stride, 0};
    run(KernelId::kRelu, args);
    for (std::size_t i = 0; i < 200; i += static_cast<std::size_t>(stride)) {
      if (std::isnan(in[i])) {
        ASSERT_TRUE(std::isnan(out[i])) << i;
      } else {
        ASSERT_EQ(out[i], in[i] > 0 ? in[i] : 0.0F) << i;
      }
    }
  }
}

TEST_P(Kernels, CopyTransposesAndBroadcasts) {
  std::vector<float> in(35), out(35);
  std::iota(in.begin(), in.end(), 0.0F);
  ElementwiseArgs args{out.data(), in.data(), nullptr, 2, {}};
  args.dims[0] = {7, 5, 1, 0};
  args.dims[1] = {5, 1, 7, 0};
  run(KernelId::kCopy, args);
  for (std::size_t i = 0; i < 35; ++i) ASSERT_EQ(out[i], in[i % 5 * 7 + i / 5]);
  args.dims[0].a_stride = 1;
  args.dims[1].a_stride = 0;
  run(KernelId::kCopy, args);
  for (std::size_t i = 0; i < 35; ++i) ASSERT_EQ(out[i], in[i / 5]);
}

TEST_P(Kernels, SumAndMean) {
  const std::int64_t shapes[][3] = {{1, 0, 1}, {1, 1, 1},  {1, 63, 1},  {1, 2049, 1},  {1, 100'003, 1}, {3, 130, 1},
                                    {1, 0, 3}, {1, 65, 1}, {1, 200, 3}, {2, 129, 300}, {4, 1, 5}};
  for (const auto& [outer, reduced, inner] : shapes) {
    const std::vector<float> in = numbers(static_cast<std::size_t>(outer * reduced * inner) + 1, 8);
    std::vector<float> sums(static_cast<std::size_t>(outer * inner), NAN), means = sums;
    run(KernelId::kSum, ReduceArgs{in.data(), sums.data(), outer, reduced, inner});
    run(KernelId::kMean, ReduceArgs{in.data(), means.data(), outer, reduced, inner});
    for (std::int64_t i = 0; i < outer * inner; ++i) {
      double want = 0, size = 0;
      for (std::int64_t r = 0; r < reduced; ++r) {
        const auto x = static_cast<double>(in[static_cast<std::size_t>((i / inner * reduced + r) * inner + i % inner)]);
        want += x;
        size += std::abs(x);
      }
      const auto at = static_cast<std::size_t>(i);
      ASSERT_NEAR(static_cast<double>(sums[at]), want, 1e-5 * size) << outer << " " << reduced << " " << inner;
      if (reduced == 0) {
        ASSERT_TRUE(std::isnan(means[at]));
      } else {
        const auto n = static_cast<double>(reduced);
        ASSERT_NEAR(static_cast<double>(means[at]), want / n, 1e-5 * size / n);
      }
    }
  }
}

TEST_P(Kernels, MatmulShapesAndFlags) {
  const std::int64_t shapes[][3] = {{1, 1, 1},    {3, 5, 7},    {64, 64, 64}, {65, 130, 67},
                                    {1, 200, 33}, {33, 1, 200}, {4, 6, 0}};
  const float some_bias = 0;
  for (const auto& [m, n, k] : shapes) {
    for (const std::uint32_t flags : {0U, 1U, 2U, 3U, 4U, 7U}) {
      MatmulArgs args{};
      args.m = m;
      args.n = n;
      args.k = k;
      args.batch = 1;
      args.transpose_a = flags & 1;
      args.transpose_b = flags >> 1 & 1;
      args.bias = (flags & 4) != 0 ? &some_bias : nullptr;
      args.lda = (args.transpose_a != 0 ? m : k) + 2;
      args.ldb = (args.transpose_b != 0 ? k : n) + 1;
      SCOPED_TRACE(testing::Message() << m << " x " << n << " x " << k << ", flags " << flags);
      check_matmul(args);
    }
  }
}

TEST_P(Kernels, MatmulBatchesAndBroadcastMatrices) {
  MatmulArgs args{nullptr, nullptr, nullptr, nullptr, nullptr, 6, 5, 4, 3, 4, 5, 24, 0, 0, 0};
  check_matmul(args);
  args.a_batch_stride = 0;
  args.b_batch_stride = 20;
  check_matmul(args);
}

TEST_P(Kernels, MatmulTakesABroadcastRow) {
  check_matmul(
      {nullptr, nullptr, nullptr, nullptr, nullptr, 6, 5, 4, 1, 0, 5, 24, 20, 0, 0});  // oneDNN refuses lda = 0
}

}  // namespace
}  // namespace heddle::cpu
