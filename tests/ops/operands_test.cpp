#include "heddle/ops/operands.hpp"

#include <latch>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "heddle/device/device.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/heddle.hpp"
#include "heddle/ops/reduce/reduce.hpp"
#include "heddle/tensor/core.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace heddle {
namespace {

TEST(Operands, AxesCountFromEitherEnd) {
  const Shape shape{2, 3, 4};
  EXPECT_EQ(ops::resolve_axis("test", shape, 2), 2U);
  EXPECT_EQ(ops::resolve_axis("test", shape, -1), 2U);
  EXPECT_EQ(ops::resolve_axis("test", shape, -3), 0U);
  EXPECT_THROW(ops::resolve_axis("test", shape, 3), InvalidArgument);
  EXPECT_THROW(ops::resolve_axis("test", shape, -4), InvalidArgument);
}

// Both operands come from other streams while the list has draws, so that ordering the second one adds a command.
TEST(Operands, OfOtherStreams) {
  Runtime runtime;
  Generator generator(runtime, 1);
  runtime.commit();  // the state is used on other streams below
  for (int round = 0; round < 50; ++round) {
    std::vector<Tensor> operands;
    std::vector<Lease> leases;
    for (int stream = 0; stream < 2; ++stream) {
      leases.push_back(runtime.lease());
      operands.push_back(full(runtime, Shape{1000}, static_cast<float>(round + stream)));
      runtime.commit();
    }
    const Lease own = runtime.lease();
    const Tensor noise = uniform(generator, Shape{4});
    Tensor total = add(operands[0], operands[1]);
    operands.clear();  // their streams may use the memory again once the addition is done
    runtime.commit();
    ASSERT_EQ(total.to_host(), std::vector<float>(1000, static_cast<float>(2 * round + 1)));
    ASSERT_EQ(ops::reduce_all(KernelId::kSum, "sum", total, 0.0F).item(), 1000.0F * static_cast<float>(2 * round + 1));
  }
}

TEST(Operands, LinearCopiesOnlyAnInputThatLiesBadly) {
  Runtime runtime;
  const Tensor x = full(runtime, Shape{2, 3, 4}, 1.0F);
  const auto copies = [&](const Tensor& input, std::int64_t k) {
    const auto executed = [&] { return runtime.core().device().executed()[static_cast<std::size_t>(KernelId::kCopy)]; };
    const std::uint64_t before = executed();
    const Tensor y = linear(input, full(runtime, Shape{5, k}, 1.0F), Tensor());
    runtime.synchronize();
    EXPECT_EQ(y.to_host(), std::vector<float>(static_cast<std::size_t>(y.elements()), static_cast<float>(k)));
    return executed() - before;
  };
  EXPECT_EQ(copies(x, 4), 0U);
  EXPECT_EQ(copies(transpose(reshape(x, {4, 6})), 4), 0U) << "the kernel reads a turned matrix";
  EXPECT_EQ(copies(transpose(x), 3), 1U);
  EXPECT_EQ(copies(view_of(x, Shape{3, 2}, Strides{8, 2}), 2), 1U) << "gaps in both dimensions";
}

TEST(Operands, UncommittedOperandLeavesNothingRecorded) {
  Runtime runtime;
  Tensor theirs;
  std::latch recorded(1);
  std::latch tried(1);
  std::thread producer([&] {
    theirs = full(runtime, Shape{3, 4, 5}, 1.0F);
    recorded.count_down();
    tried.wait();
  });
  recorded.wait();
  // The turned one needs a copy, which must not be recorded either.
  EXPECT_THROW(matmul(transpose(theirs, 0, 2), zeros(runtime, Shape{3, 2})), NotCommitted);
  EXPECT_THROW(sum(transpose(theirs), 0), NotCommitted);
  EXPECT_THROW(add(theirs, theirs), NotCommitted);
  tried.count_down();
  producer.join();
  runtime.synchronize();
  const KernelCounts counts = runtime.core().device().executed();
  EXPECT_EQ(counts[static_cast<std::size_t>(KernelId::kCopy)], 0U);
  EXPECT_EQ(counts[static_cast<std::size_t>(KernelId::kMatmul)], 0U);
  EXPECT_EQ(counts[static_cast<std::size_t>(KernelId::kSum)], 0U);
  EXPECT_EQ(counts[static_cast<std::size_t>(KernelId::kAdd)], 0U);
}

}  // namespace
}  // namespace heddle
