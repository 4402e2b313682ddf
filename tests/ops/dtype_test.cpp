// Operations on float16 and bfloat16, cast and stack. The device is the one that HEDDLE_DEVICE names.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <type_traits>
#include <vector>

#include "heddle/device/half.hpp"
#include "heddle/device/scalar_maps.hpp"
#include "heddle/heddle.hpp"

namespace heddle {
namespace {

float rounded(Dtype dtype, float value) {
  if (dtype == Dtype::kFloat16) return to_float(to_float16(value));
  if (dtype == Dtype::kBFloat16) return to_float(to_bfloat16(value));
  return value;
}

std::vector<float> values_of(Dtype dtype, std::size_t count, float step) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = rounded(dtype, std::sin(static_cast<float>(i) * step) * 3.0F);
  return values;
}

Tensor upload(Runtime& runtime, Dtype dtype, const std::vector<float>& values, const Shape& shape) {
  return cast(Tensor::from_host(runtime, values, shape), dtype);
}

class HalfPrecision : public testing::TestWithParam<Dtype> {
 protected:
  Runtime runtime_;
};

TEST_P(HalfPrecision, CastRoundsOnceAndBackIsExact) {
  const std::vector<float> values = {0.1F, -0.1F, 1.0F / 3, 65519.0F, 1e-7F, INFINITY, 0.0F, 12345.678F};
  const Tensor x = Tensor::from_host(runtime_, values, {2, 4});
  const Tensor y = cast(x, GetParam());
  EXPECT_EQ(y.dtype(), GetParam());
  const std::vector<float> back = y.to_host();
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(back[i], rounded(GetParam(), values[i])) << i;
  EXPECT_TRUE(std::isnan(cast(full(runtime_, {1}, NAN), GetParam()).item()));
  const std::vector<float> turned = cast(transpose(y), Dtype::kFloat32).to_host();
  EXPECT_EQ(turned[1], back[4]) << "a view is read through its strides";
}

TEST_P(HalfPrecision, ElementwiseIsComputedInFloatAndRoundedOnce) {
  const Dtype dtype = GetParam();
  for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
    const std::vector<float> a = values_of(dtype, count, 0.7F), b = values_of(dtype, count, 1.3F);
    const auto extent = static_cast<std::int64_t>(count);
    const Tensor x = upload(runtime_, dtype, a, {extent}), y = upload(runtime_, dtype, b, {extent});
    const auto same = [&](const Tensor& result, auto function) {
      ASSERT_EQ(result.dtype(), dtype);
      const std::vector<float> out = result.to_host();
      for (std::size_t i = 0; i < count; ++i) {
        const float want = rounded(dtype, function(a[i], b[i]));
        ASSERT_TRUE(out[i] == want || (std::isnan(out[i]) && std::isnan(want))) << i << ": " << out[i] << ", " << want;
      }
    };
    same(add(x, y), [](float p, float q) { return p + q; });
    same(sub(x, y), [](float p, float q) { return p - q; });
    same(mul(x, y), [](float p, float q) { return p * q; });
    same(div(x, y), [](float p, float q) { return p / q; });
    same(relu(x), [](float p, float) { return p < 0 ? 0.0F : p; });
    same(copy(x), [](float p, float) { return p; });
    const auto of = [&](auto operation) {
      if constexpr (std::is_invocable_v<decltype(operation), const Tensor&>) {
        return operation(x);
      } else {
        return operation(x, y);
      }
    };
#define HEDDLE_MAP(Id, name, inputs, ...)                                          \
  same(of([](const auto&... in) -> decltype(name(in...)) { return name(in...); }), \
       [](float p, float q) { return maps::Id::apply(maps::Scalars(), p, q); });
#include "heddle/device/maps-inl.h"
  }
  // Broadcast and strided.
  const std::vector<float> a = values_of(dtype, 12, 0.7F), row = values_of(dtype, 4, 1.9F);
  const Tensor x = upload(runtime_, dtype, a, {4, 3});
  const std::vector<float> out = add(transpose(x), upload(runtime_, dtype, row, {4})).to_host();
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(out[i], rounded(dtype, a[i % 4 * 3 + i / 4] + row[i % 4]));
}

TEST_P(HalfPrecision, ProductsAccumulateInFloat) {
  const Dtype dtype = GetParam();
  struct Case {
    std::int64_t m, n, k;
    bool turn_a, turn_b;
  };
  for (const Case& c : {Case{5, 7, 9, false, false}, Case{64, 32, 128, false, false}, Case{16, 24, 40, true, false},
                        Case{16, 24, 40, false, true}, Case{3, 5, 200, true, true}}) {
    const std::vector<float> a = values_of(dtype, static_cast<std::size_t>(c.m * c.k), 0.7F);
    const std::vector<float> b = values_of(dtype, static_cast<std::size_t>(c.k * c.n), 1.3F);
    const Tensor x =
        c.turn_a ? transpose(upload(runtime_, dtype, a, {c.k, c.m})) : upload(runtime_, dtype, a, {c.m, c.k});
    const Tensor y =
        c.turn_b ? transpose(upload(runtime_, dtype, b, {c.n, c.k})) : upload(runtime_, dtype, b, {c.k, c.n});
    const Tensor product = matmul(x, y);
    ASSERT_EQ(product.dtype(), dtype);
    const std::vector<float> out = product.to_host();
    const double unit = dtype == Dtype::kFloat16 ? 0x1p-11 : 0x1p-8;  // half of the distance of neighbours at 1
    for (std::int64_t i = 0; i < c.m; ++i) {
      for (std::int64_t j = 0; j < c.n; ++j) {
        double total = 0;
        double size = 0;
        for (std::int64_t k = 0; k < c.k; ++k) {
          const auto left = static_cast<double>(a[static_cast<std::size_t>(c.turn_a ? k * c.m + i : i * c.k + k)]);
          const auto right = static_cast<double>(b[static_cast<std::size_t>(c.turn_b ? j * c.k + k : k * c.n + j)]);
          total += left * right;
          size += std::abs(left * right);
        }
        const double bound = static_cast<double>(c.k + 1) * 0x1p-23 * size + unit * std::abs(total) + 1e-7;
        ASSERT_NEAR(static_cast<double>(out[static_cast<std::size_t>(i * c.n + j)]), total, bound) << i << ", " << j;
      }
    }
  }
}

TEST_P(HalfPrecision, LinearAddsItsBiasAndBatchesAreProducts) {
  const Dtype dtype = GetParam();
  const Tensor x = upload(runtime_, dtype, {1, 2, 3, 4, 5, 6}, {3, 2});
  const Tensor weight = upload(runtime_, dtype, {1, 0, 0, 1, 1, 1, 2, -1}, {4, 2});
  const Tensor bias = upload(runtime_, dtype, {10, 20, 30, 40}, {4});
  EXPECT_EQ(linear(x, weight, bias).to_host(), (std::vector<float>{11, 22, 33, 40, 13, 24, 37, 42, 15, 26, 41, 44}));
  const Tensor batch = upload(runtime_, dtype, {1, 0, 0, 1, 2, 0, 0, 2}, {2, 2, 2});
  EXPECT_EQ(matmul(batch, upload(runtime_, dtype, {1, 2, 3, 4}, {2, 2})).to_host(),
            (std::vector<float>{1, 2, 3, 4, 2, 4, 6, 8}));
}

TEST_P(HalfPrecision, WhatHasNoKernelIsRefusedAndNothingIsRecorded) {
  const Tensor x = cast(full(runtime_, {4}, 1.0F), GetParam());
  runtime_.synchronize();
  try {
    static_cast<void>(sum(x));
    ADD_FAILURE();
  } catch (const Unsupported& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("sum"), std::string::npos) << text;
    EXPECT_NE(text.find(name_of(GetParam())), std::string::npos) << text;
    EXPECT_NE(text.find("cast()"), std::string::npos) << text;
  }
  EXPECT_THROW(static_cast<void>(add(x, full(runtime_, {4}, 1.0F))), InvalidArgument);
  EXPECT_THROW(static_cast<void>(matmul(reshape(x, {2, 2}), full(runtime_, {2, 2}, 1.0F))), InvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Types, HalfPrecision, testing::Values(Dtype::kFloat16, Dtype::kBFloat16),
                         [](const auto& dtype) { return std::string(name_of(dtype.param)); });

TEST(Cast, OfTheSameTypeIsTheTensorItself) {
  Runtime runtime;
  const Tensor x = full(runtime, {3}, 1.0F);
  EXPECT_EQ(cast(x, Dtype::kFloat32).address(), x.address());
  EXPECT_EQ(cast(cast(x, Dtype::kFloat16), Dtype::kBFloat16).to_host(), (std::vector<float>{1, 1, 1}));
}

TEST(Stack, PutsTensorsSideBySide) {
  Runtime runtime;
  std::vector<Tensor> tensors;
  std::vector<float> want;
  for (int i = 0; i < 150; ++i) {  // more than one command takes
    tensors.push_back(full(runtime, {}, static_cast<float>(i)));
    want.push_back(static_cast<float>(i));
  }
  const Tensor all = stack(tensors);
  EXPECT_EQ(all.shape().text(), Shape({150}).text());
  EXPECT_EQ(all.to_host(), want);
}

TEST(Stack, CopiesViewsAndKeepsTypes) {
  Runtime runtime;
  const Tensor x = cast(Tensor::from_host(runtime, std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}), Dtype::kFloat16);
  const Tensor both = stack(std::vector<Tensor>{reshape(transpose(x), {3, 2}), transpose(x)});
  EXPECT_EQ(both.dtype(), Dtype::kFloat16);
  EXPECT_EQ(both.to_host(), (std::vector<float>{1, 4, 2, 5, 3, 6, 1, 4, 2, 5, 3, 6}));
  const Tensor large = full(runtime, {1001}, 2.0F);
  EXPECT_EQ(sum(stack(std::vector<Tensor>(3, large))).item(), 6006.0F);
}

TEST(Stack, RefusesWhatDoesNotFit) {
  Runtime runtime;
  const Tensor x = full(runtime, {2}, 1.0F);
  EXPECT_THROW(static_cast<void>(stack({})), InvalidArgument);
  EXPECT_THROW(static_cast<void>(stack(std::vector<Tensor>{x, full(runtime, {3}, 1.0F)})), InvalidArgument);
  EXPECT_THROW(static_cast<void>(stack(std::vector<Tensor>{x, Tensor()})), InvalidArgument);
  EXPECT_THROW(static_cast<void>(stack(std::vector<Tensor>{x, cast(x, Dtype::kFloat16)})), InvalidArgument);
  EXPECT_THROW(static_cast<void>(stack(std::vector<Tensor>{full(runtime, {1, 1, 1, 1, 1, 1}, 0.0F)})), InvalidArgument);
  EXPECT_EQ(stack(std::vector<Tensor>{full(runtime, {0}, 1.0F)}).shape().text(), Shape({1, 0}).text());
}

}  // namespace
}  // namespace heddle
