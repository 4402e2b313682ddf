#include "heddle/stream/lane.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <string>
#include <thread>

#include "heddle/device/device.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/device/kernel_id.hpp"
#include "heddle/heddle.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/tensor/core.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace heddle {
namespace {

std::uint64_t executed(Runtime& runtime, KernelId kernel) {
  return runtime.core().device().executed()[static_cast<std::size_t>(kernel)];
}

TEST(Lane, NothingRunsBeforeCommit) {
  Runtime runtime;
  const Tensor x = full(runtime, {4}, 1.0f);
  EXPECT_FALSE(runtime.query());
  EXPECT_EQ(executed(runtime, KernelId::kFill), 0u);
  runtime.synchronize();
  EXPECT_TRUE(runtime.query());
  EXPECT_EQ(executed(runtime, KernelId::kFill), 1u);
}

TEST(Lane, ACommittedListRunsWithoutAnybodyWaiting) {
  Runtime runtime;
  const Tensor x = full(runtime, {4}, 1.0f);
  runtime.commit();
  while (!runtime.query()) std::this_thread::yield();
  EXPECT_EQ(executed(runtime, KernelId::kFill), 1u);
}

TEST(Lane, CommitsByItselfByCountOnly) {
  Options options;
  options.limits.list_commands_max = 10;
  Runtime runtime(options);
  Recording recording(runtime.core().pool());
  Lane& lane = recording.lane();
  Block* block = runtime.core().memory().allocate(lane, 64);
  for (int i = 0; i < 25; ++i) lane.append(KernelId::kFill, FillArgs{block->data, 1, 0});
  EXPECT_EQ(lane.issued().value, 25u);
  EXPECT_EQ(lane.committed().value, 20u);
  lane.synchronize();
  EXPECT_EQ(lane.completed().value, 25u);
  runtime.core().memory().free(block);
}

TEST(Lane, CommittedListsAreBounded) {
  Options options;
  options.limits.committed_lists_max = 2;
  Runtime runtime(options);
  for (int i = 0; i < 100; ++i) {
    const Tensor x = full(runtime, {1 << 14}, static_cast<float>(i));
    runtime.commit();
  }
  runtime.synchronize();
  EXPECT_EQ(executed(runtime, KernelId::kFill), 100u);
}

TEST(Lane, UseOfAnUncommittedOperandOnAnotherStreamNamesTheRemedy) {
  Runtime runtime;
  std::latch recorded(1);
  std::latch tried(1);
  Tensor x;
  std::thread producer([&] {
    x = full(runtime, {4}, 2.0f);
    recorded.count_down();
    tried.wait();
  });
  recorded.wait();
  try {
    relu(x);
    ADD_FAILURE() << "used what was not committed";
  } catch (const NotCommitted& error) {
    EXPECT_NE(std::string(error.what()).find("commit()"), std::string::npos) << error.what();
  }
  EXPECT_THROW(x.to_host(), NotCommitted);
  tried.count_down();
  producer.join();  // its end commits
  EXPECT_EQ(sum(relu(x)).item(), 8.0f);
}

// The consumer's stream waits on the device for the producer's, whatever runs first.
TEST(Lane, AConsumerOnAnotherStreamSeesTheProducersResult) {
  Runtime runtime;
  for (int round = 0; round < 50; ++round) {
    Tensor y;
    std::thread producer([&] {
      const Tensor x = full(runtime, {64, 64}, static_cast<float>(round));
      y = matmul(x, x);
      runtime.commit();
    });
    producer.join();
    const float expected = 64.0f * 64.0f * 64.0f * static_cast<float>(round) * static_cast<float>(round);
    EXPECT_FLOAT_EQ(sum(y).item(), expected);
  }
}

// A block that another stream still uses must not be given out again, although its own stream has freed it.
TEST(Lane, MemoryInUseByAnotherStreamIsNotReused) {
  Runtime runtime;
  std::latch handed_over(1);
  std::latch read_recorded(1);
  std::latch freed(1);
  Tensor x;
  std::thread producer([&] {
    x = full(runtime, {1024}, 7.0f);
    runtime.synchronize();
    handed_over.count_down();
    read_recorded.wait();
    x = Tensor();
    for (int i = 0; i < 64; ++i) {
      const Tensor scratch = full(runtime, {1024}, -1.0f);
      runtime.synchronize();
    }
    freed.count_down();
  });
  handed_over.wait();
  const Tensor y = copy(x);  // recorded on this thread's stream, not committed
  read_recorded.count_down();
  freed.wait();
  EXPECT_EQ(sum(y).item(), 7168.0f);
  producer.join();
}

// Invariant 4: ordering after another stream's write closes the list before the uses of the command are noted.
TEST(Lane, NotesOfACommandGoToTheListThatHoldsIt) {
  Runtime runtime;
  Tensor x;
  std::thread([&] {
    x = full(runtime, {4}, 2.0f);
    runtime.commit();
  }).join();
  const Tensor y = full(runtime, {4}, 1.0f);  // recorded here, not committed
  const Tensor z = add(y, x);                 // waits for the other stream, so its list is another one
  Recording recording(runtime.core().pool());
  Lane& lane = recording.lane();
  EXPECT_GE(lane.committed().value, 1u) << "ordering closed the list";
  EXPECT_EQ(residency_of(z).last_write().ticket, lane.issued());
  EXPECT_GT(lane.issued(), lane.committed());
}

// A command that is refused leaves nothing behind: no note, no command.
TEST(Lane, ARefusedCommandIsNotNoted) {
  Runtime runtime;
  const Tensor out = full(runtime, {4}, 1.0f);
  runtime.synchronize();
  std::latch recorded(1), refused(1);
  Tensor x;
  std::thread producer([&] {
    x = full(runtime, {4}, 2.0f);  // not committed
    recorded.count_down();
    refused.wait();
  });
  recorded.wait();
  const Ticket before = residency_of(out).last_write().ticket;
  {
    Recording recording(runtime.core().pool());
    Lane& lane = recording.lane();
    const Ticket issued = lane.issued();
    Command<ElementwiseArgs> command(KernelId::kRelu);
    command.args = {address_of(out), address_of(x), nullptr, 0, {}};
    EXPECT_THROW(lane.record(command, operand_of(out), operand_of(x), OperandMemory()), NotCommitted);
    EXPECT_EQ(lane.issued(), issued);
    EXPECT_EQ(residency_of(out).last_write().ticket, before);
  }
  EXPECT_FALSE(residency_of(x).has_foreign_uses());
  refused.count_down();
  producer.join();
}

#if HEDDLE_DEBUG_CHECKS
TEST(LaneDeathTest, ACommandThatReachesOutOfItsOperandAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Runtime runtime;
  const Tensor out = full(runtime, {4}, 1.0f);
  const Tensor x = full(runtime, {4}, 2.0f);
  const auto relu_of = [&](std::int64_t extent, std::int64_t stride) {
    Recording recording(runtime.core().pool());
    Command<ElementwiseArgs> command(KernelId::kRelu);
    command.args = {address_of(out), address_of(x), nullptr, 1, {{extent, 1, stride, 0}}};
    recording.lane().record(command, operand_of(out), operand_of(x), OperandMemory());
  };
  constexpr const char* kText = "a command reaches out of the memory of its operand";
  EXPECT_DEATH(relu_of(5, 1), kText);
  EXPECT_DEATH(relu_of(3, 2), kText);
  EXPECT_DEATH(relu_of(2, -1), kText);
  relu_of(4, 1);
  relu_of(2, 3);
  runtime.synchronize();
}
#endif

}  // namespace
}  // namespace heddle
