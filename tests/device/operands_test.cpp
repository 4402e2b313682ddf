// What the words of arguments mean: heddle/device/operands.hpp.
#include "heddle/device/operands.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "heddle/device/command_list.hpp"

namespace heddle {
namespace {

struct Touched {
  std::string name;
  const void* address;
  std::int64_t first, last;
  Access access;
};

template <class Args>
std::vector<Touched> operands_of(KernelId kernel, const Args& args, Dtype dtype = Dtype::kFloat32,
                                 Dtype source = Dtype::kFloat32) {
  CommandList list;
  Command<Args> command(kernel, dtype, source);
  command.args = args;
  list.append(command);
  std::vector<Touched> touched;
  for_each_operand(CommandView(list.begin()), [&](const Operand& operand) {
    touched.push_back(
        {std::string(operand.name), operand.address, operand.reach.first, operand.reach.last, operand.access});
  });
  return touched;
}

class Operands : public testing::Test {
 protected:
  void expect(const Touched& operand, const char* name, const void* address, std::int64_t first, std::int64_t last,
              Access access) {
    EXPECT_EQ(operand.name, name);
    EXPECT_EQ(operand.address, address) << name;
    EXPECT_EQ(operand.first, first) << name;
    EXPECT_EQ(operand.last, last) << name;
    EXPECT_EQ(operand.access, access) << name;
  }
  float memory_[8] = {};
  float* const a_ = memory_;
  float* const b_ = memory_ + 1;
  float* const out_ = memory_ + 2;
};

TEST_F(Operands, AbsentOnesAreLeftOut) {
  EXPECT_TRUE(operands_of(KernelId::kFill, FillArgs{nullptr, 0, 0}).empty());
  EXPECT_TRUE(operands_of(KernelId::kFill, FillArgs{out_, 0, 0}).empty());
  const auto touched = operands_of(KernelId::kFill, FillArgs{out_, 3, 0});
  ASSERT_EQ(touched.size(), 1U);
  expect(touched[0], "out", out_, 0, 12, Access::kWrites);
}

TEST_F(Operands, StridesReachBothWays) {
  ElementwiseArgs args{out_, a_, b_, 2, {}};
  args.dims[0] = {3, 4, -5, 0};
  args.dims[1] = {4, 1, 2, 0};
  const auto touched = operands_of(KernelId::kAdd, args);
  ASSERT_EQ(touched.size(), 3U);
  expect(touched[0], "out", out_, 0, 48, Access::kWrites);
  expect(touched[1], "a", a_, -40, 28, Access::kReads);
  expect(touched[2], "b", b_, 0, 4, Access::kReads);
}

TEST_F(Operands, ACastReadsAnotherTypeThanItWrites) {
  const auto touched = operands_of(KernelId::kCast, ElementwiseArgs{out_, a_, nullptr, 1, {{10, 1, 1, 0}}},
                                   Dtype::kFloat32, Dtype::kFloat16);
  ASSERT_EQ(touched.size(), 2U);
  expect(touched[0], "out", out_, 0, 40, Access::kWrites);
  expect(touched[1], "a", a_, 0, 20, Access::kReads);
}

TEST_F(Operands, MatricesReachByTheirRows) {
  MatmulArgs args{};
  args.a = a_;
  args.b = b_;
  args.out = out_;
  args.m = 3;
  args.n = 5;
  args.k = 7;
  args.lda = 10;
  args.ldb = 20;
  args.batch = 2;
  args.a_batch_stride = 100;
  args.transpose_b = 1;
  const auto touched = operands_of(KernelId::kMatmul, args, Dtype::kBFloat16, Dtype::kBFloat16);
  ASSERT_EQ(touched.size(), 3U);
  expect(touched[0], "a", a_, 0, 2 * (100 + 2 * 10 + 7), Access::kReads);
  expect(touched[1], "b", b_, 0, 2 * (4 * 20 + 7), Access::kReads);
  expect(touched[2], "out", out_, 0, 2 * 2 * 15, Access::kWrites);
  args.k = 0;
  EXPECT_EQ(operands_of(KernelId::kMatmul, args).size(), 1U) << "nothing is read";
}

TEST_F(Operands, AStackReadsOnlyWhatIsEncoded) {
  StackArgs args{out_, 8, 3, {}};
  args.in[0] = a_;
  args.in[1] = b_;
  args.in[2] = a_;
  args.in[3] = b_;
  const auto touched = operands_of(KernelId::kStack, args);
  ASSERT_EQ(touched.size(), 4U);
  expect(touched[0], "out", out_, 0, 24, Access::kWrites);
  expect(touched[2], "in", b_, 0, 8, Access::kReads);
}

TEST_F(Operands, DrawsReadAStateThatAdvancesUpdate) {
  GeneratorState state;
  const auto drawn = operands_of(KernelId::kRandn, RandomArgs{&state, 0, out_, 5});
  ASSERT_EQ(drawn.size(), 2U);
  expect(drawn[0], "state", &state, 0, sizeof(GeneratorState), Access::kReads);
  expect(drawn[1], "out", out_, 0, 20, Access::kWrites);
  const auto advanced = operands_of(KernelId::kAdvance, AdvanceArgs{&state, 2});
  ASSERT_EQ(advanced.size(), 1U);
  EXPECT_EQ(advanced[0].access, Access::kUpdates);
}

TEST_F(Operands, WhatIsNoKernelHasNone) {
  EXPECT_TRUE(operands_of(static_cast<KernelId>(0xFFFF), FillArgs{out_, 3, 0}).empty());
}

// Padding would make equal commands differ.
struct Padded {
  void* address;
  std::uint32_t number;
};
static_assert(!CommandArgs<Padded>);
static_assert(CommandArgs<MatmulArgs>);
static_assert(kAddresses<MatmulArgs> == 5 && kAddresses<CustomArgs> == 0);

}  // namespace
}  // namespace heddle
