// Errors at record time: each names what was given, and leaves nothing recorded.
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "heddle/device/device.hpp"
#include "heddle/heddle.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle {
namespace {

std::string text_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another exception: ") + error.what();
  }
  return "no exception";
}

void expect_names(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
}

class OpErrors : public testing::Test {
 protected:
  Tensor make(std::initializer_list<std::int64_t> extents) { return zeros(runtime_, Shape(extents)); }

  Runtime runtime_;
};

TEST_F(OpErrors, ElementwiseNamesBothShapes) {
  const Tensor a = make({2, 3});
  const Tensor b = make({4, 5});
  expect_names(text_of([&] { add(a, b); }), {"add", "[2, 3]", "[4, 5]"});
  expect_names(text_of([&] { sub(a, b); }), {"sub", "[2, 3]", "[4, 5]"});
  expect_names(text_of([&] { mul(a, b); }), {"mul", "[2, 3]", "[4, 5]"});
  expect_names(text_of([&] { div(a, b); }), {"div", "[2, 3]", "[4, 5]"});
}

TEST_F(OpErrors, MatmulNamesBothShapes) {
  expect_names(text_of([&] { matmul(make({2, 3}), make({4, 5})); }), {"matmul", "[2, 3]", "[4, 5]"});
  expect_names(text_of([&] { matmul(make({3}), make({3, 5})); }), {"matmul", "[3]", "[3, 5]", "two dimensions"});
  expect_names(text_of([&] { matmul(make({2, 3, 4}), make({3, 4, 5})); }), {"[2, 3, 4]", "[3, 4, 5]", "broadcast"});
}

TEST_F(OpErrors, LinearNamesAllShapes) {
  const Tensor x = make({2, 3});
  expect_names(text_of([&] { linear(x, make({4, 5}), make({4})); }), {"linear", "[2, 3]", "[4, 5]", "[4]"});
  expect_names(text_of([&] { linear(x, make({4, 3}), make({3})); }), {"[2, 3]", "[4, 3]", "[3]", "bias"});
  expect_names(text_of([&] { linear(x, make({3}), make({4})); }), {"[2, 3]", "[3]", "[4]", "two dimensions"});
  expect_names(text_of([&] { linear(make({}), make({4, 3}), Tensor()); }), {"[]", "[4, 3]", "none"});
}

TEST_F(OpErrors, AxesNameTheShapeAndWhatIsAllowed) {
  const Tensor x = make({2, 3});
  expect_names(text_of([&] { sum(x, 2); }), {"sum", "dimension 2", "[2, 3]", "-2 to 1"});
  expect_names(text_of([&] { mean(x, -3); }), {"mean", "dimension -3", "[2, 3]", "-2 to 1"});
  expect_names(text_of([&] { sum(make({}), 0); }), {"sum", "dimension 0", "[]", "scalar"});
  expect_names(text_of([&] { transpose(x, 0, 2); }), {"transpose", "dimension 2", "[2, 3]"});
  expect_names(text_of([&] { transpose(make({3})); }), {"transpose", "[3]", "two dimensions"});
}

TEST_F(OpErrors, ReshapeNamesBothShapes) {
  const Tensor x = make({2, 3});
  expect_names(text_of([&] { reshape(x, Shape{4, 2}); }), {"reshape", "[2, 3]", "[4, 2]"});
  expect_names(text_of([&] { reshape(x, {4, -1}); }), {"reshape", "[2, 3]", "[4, -1]", "divide"});
  expect_names(text_of([&] { reshape(x, {-1, -1}); }), {"[2, 3]", "[-1, -1]", "only one"});
  expect_names(text_of([&] { reshape(x, {-2, 3}); }), {"[2, 3]", "[-2, 3]", "negative"});
  expect_names(text_of([&] { reshape(make({0, 3}), {0, -1}); }), {"[0, 3]", "[0, -1]", "anything"});
  expect_names(text_of([&] { reshape(x, {1, 1, 1, 1, 1, 6, -1}); }), {"[2, 3]", "too many"});
}

TEST_F(OpErrors, OperandsOfTwoRuntimes) {
  Runtime other;
  const Tensor a = make({2, 3});
  const Tensor b = zeros(other, Shape{3, 2});
  expect_names(text_of([&] { matmul(a, b); }), {"matmul", "[2, 3]", "[3, 2]", "two runtimes"});
  expect_names(text_of([&] { add(a, b); }), {"add", "[2, 3]", "[3, 2]", "two runtimes"});
  const Tensor bias = zeros(other, Shape{2});
  expect_names(text_of([&] { linear(a, a, bias); }), {"linear", "[2, 3]", "[2]", "two runtimes"});
  expect_names(text_of([&] { linear(a, b, Tensor()); }), {"linear", "[2, 3]", "[3, 2]", "two runtimes"});
}

TEST_F(OpErrors, UndefinedOperands) {
  const Tensor none;
  const Tensor x = make({2, 2});
  const std::vector<std::function<void()>> calls = {[&] { add(x, none); },
                                                    [&] { add(none, x); },
                                                    [&] { relu(none); },
                                                    [&] { copy(none); },
                                                    [&] { sum(none); },
                                                    [&] { mean(none, 0); },
                                                    [&] { matmul(x, none); },
                                                    [&] { linear(none, x, x); },
                                                    [&] { transpose(none); },
                                                    [&] { reshape(none, {1}); },
                                                    [&] { reshape(none, Shape{1}); }};
  for (const auto& call : calls) expect_names(text_of(call), {"undefined"});
}

TEST_F(OpErrors, NothingIsRecordedOrLost) {
  const Tensor a = make({2, 3});
  runtime_.synchronize();
  const KernelCounts before = runtime_.core().device().executed();
  for (int i = 0; i < 10; ++i) {
    EXPECT_THROW(matmul(a, a), InvalidArgument);
    EXPECT_THROW(add(a, transpose(a)), InvalidArgument);
    EXPECT_THROW(sum(a, 5), InvalidArgument);
    EXPECT_THROW(reshape(transpose(a), {4, -1}), InvalidArgument);
  }
  runtime_.synchronize();
  EXPECT_EQ(runtime_.core().device().executed(), before);
}

}  // namespace
}  // namespace heddle
