// What the kernels compute, against double precision; heddle/backends/cuda/kernels/launch.hpp and
// heddle/backends/cuda/cublaslt/matmul.hpp through the public operations.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "backends_cuda/gpu.hpp"
#include "heddle/backends/cpu/kernels/philox.hpp"
#include "ops/op_case_check.hpp"

namespace heddle::test {
namespace {

class CudaOps : public Gpu {};

TEST_F(CudaOps, EveryCaseAgreesWithTheReference) {
  Runtime runtime(cuda_options());
  check_all_cases(runtime);
}

TEST_F(CudaOps, UniformsAreTheCpusBitByBitAndNormalsWithinTheirBound) {
  Runtime runtime(cuda_options());
  const std::int64_t count = 1'000'003;
  const GeneratorState state{0xFEDCBA9876543210, 0x123456789ABCDEF0, 0};
  Generator generator(runtime, state.seed, state.subsequence);
  const std::vector<float> uniforms = uniform(generator, {count}).to_host();
  const std::vector<float> normals = randn(generator, {count}).to_host();
  const std::uint64_t blocks = (static_cast<std::uint64_t>(count) + 3) / 4;
  std::vector<double> expected(normals.size());
  cpu::reference_normals(state, blocks, expected.size(), expected.data());
  for (std::size_t i = 0; i < normals.size(); ++i) {
    const float word = cpu::uniform_from_word(cpu::philox_block(state.seed, state.subsequence, i / 4)[i % 4]);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(uniforms[i]), std::bit_cast<std::uint32_t>(word)) << i;
    const double a = expected[i];
    ASSERT_LE(std::abs(static_cast<double>(normals[i]) - a), 4e-6 + 1e-6 * std::abs(a)) << i;
  }
}

// Every way in which a reduction is cut, and sums that are the same bits each time.
TEST_F(CudaOps, SumsOfEverySizeAreWithinTheBoundAndTheSameAgain) {
  Runtime runtime(cuda_options());
  struct Case {
    std::int64_t outer, reduced, inner;
  };
  for (const Case& shape : {Case{1, 1, 1}, Case{1, 5, 1}, Case{3, 512, 1}, Case{3, 513, 1}, Case{2, 8193, 1},
                            Case{1, 131071, 1}, Case{1, 131072, 1}, Case{1, 3'000'001, 1}, Case{5, 200'003, 1},
                            Case{1, 100'003, 3}, Case{4, 1000, 33}, Case{1, 70'000, 64}, Case{2, 3, 100'000}}) {
    SCOPED_TRACE(testing::Message() << shape.outer << " x " << shape.reduced << " x " << shape.inner);
    Generator generator(runtime, 7, static_cast<std::uint64_t>(shape.reduced));
    const Tensor x = randn(generator, {shape.outer, shape.reduced, shape.inner});
    const std::vector<float> values = x.to_host();
    const std::vector<float> sums = sum(x, 1).to_host();
    const std::vector<float> again = sum(x, 1).to_host();
    const std::vector<float> means = mean(x, 1).to_host();
    for (std::int64_t o = 0; o < shape.outer; ++o) {
      for (std::int64_t i = 0; i < shape.inner; ++i) {
        double total = 0;
        double magnitude = 0;
        for (std::int64_t r = 0; r < shape.reduced; ++r) {
          const double value = values[static_cast<std::size_t>((o * shape.reduced + r) * shape.inner + i)];
          total += value;
          magnitude += std::abs(value);
        }
        const auto at = static_cast<std::size_t>(o * shape.inner + i);
        ASSERT_LE(std::abs(static_cast<double>(sums[at]) - total), 1e-5 * magnitude);
        ASSERT_LE(std::abs(static_cast<double>(means[at]) * static_cast<double>(shape.reduced) - total),
                  1e-5 * magnitude);
        ASSERT_EQ(std::bit_cast<std::uint32_t>(sums[at]), std::bit_cast<std::uint32_t>(again[at]));
      }
    }
  }
}

// A view that starts at an odd element adds in the same order as one that does not.
TEST_F(CudaOps, SumsDoNotDependOnWhereTheirOperandLies) {
  Runtime runtime(cuda_options());
  const std::int64_t count = 5000;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i)) * 1e3F;
  std::vector<float> shifted(values.size() + 1, 0.0F);
  std::copy(values.begin(), values.end(), shifted.begin() + 1);
  const Tensor whole = Tensor::from_host(runtime, shifted, {count + 1});
  const Tensor view = view_of(whole, Shape{count}, Strides{1}, 1);
  EXPECT_EQ(sum(view).item(), sum(Tensor::from_host(runtime, values, {count})).item());
  EXPECT_EQ(add(view, view).to_host()[17], 2 * values[17]);
}

struct Product {
  std::int64_t m, n, k;
};

// The product within k * eps * (|A| |B|): with TF32 this would fail.
TEST_F(CudaOps, ProductsKeepFloat32Precision) {
  Runtime runtime(cuda_options());
  for (const Product& p :
       {Product{64, 64, 64}, Product{256, 256, 256}, Product{100, 300, 700}, Product{1, 1000, 1000}}) {
    Generator generator(runtime, 3);
    const Tensor a = randn(generator, {p.m, p.k});
    const Tensor b = randn(generator, {p.k, p.n});
    const std::vector<float> left = a.to_host(), right = b.to_host(), out = matmul(a, b).to_host();
    const double eps = 0x1p-23;
    double worst = 0;
    for (std::int64_t i = 0; i < p.m; ++i) {
      for (std::int64_t j = 0; j < p.n; ++j) {
        double total = 0;
        double magnitude = 0;
        for (std::int64_t k = 0; k < p.k; ++k) {
          const double term = static_cast<double>(left[static_cast<std::size_t>(i * p.k + k)]) *
                              static_cast<double>(right[static_cast<std::size_t>(k * p.n + j)]);
          total += term;
          magnitude += std::abs(term);
        }
        const double error = std::abs(static_cast<double>(out[static_cast<std::size_t>(i * p.n + j)]) - total);
        ASSERT_LE(error, static_cast<double>(p.k) * eps * magnitude);
        worst = std::max(worst, error / magnitude);
      }
    }
    EXPECT_LT(worst, 2e-6) << "operands were rounded to fewer bits than float32 has";
  }
}

TEST_F(CudaOps, Tf32IsByChoice) {
  Options options = cuda_options();
  options.cuda_matmul = CudaMatmul::kTf32;
  Runtime runtime(options);
  // 1 + 2^-20 needs more bits than TF32 has, so the product of 64 of them tells the two apart.
  const Tensor a = full(runtime, {256, 256}, 1.0F + 0x1p-20F);
  const Tensor b = full(runtime, {256, 256}, 1.0F);
  EXPECT_EQ(matmul(a, b).to_host()[0], 256.0F);
  Runtime precise(cuda_options());
  const Tensor c = full(precise, {256, 256}, 1.0F + 0x1p-20F);
  EXPECT_GT(matmul(c, full(precise, {256, 256}, 1.0F)).to_host()[0], 256.0F);
}

}  // namespace
}  // namespace heddle::test
