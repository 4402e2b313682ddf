// The parts of the device by themselves: pinned memory, lane slots, event rings, plans.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <vector>

#include "backends_cuda/gpu.hpp"
#include "heddle/backends/cuda/commands.hpp"
#include "heddle/backends/cuda/cublaslt/library.hpp"
#include "heddle/backends/cuda/cublaslt/plan_table.hpp"
#include "heddle/backends/cuda/event_ring.hpp"
#include "heddle/backends/cuda/lane_slots.hpp"
#include "heddle/backends/cuda/pinned.hpp"

namespace heddle::cuda {
namespace {

using test::Gpu;
using CudaParts = Gpu;

TEST(CudaCommands, HalfPrecisionIsForSomeKernelsOnly) {
  EXPECT_TRUE(has_kernel(KernelId::kSum, Dtype::kFloat32));
  EXPECT_FALSE(has_kernel(KernelId::kSum, Dtype::kFloat16));
  EXPECT_TRUE(has_kernel(KernelId::kMatmul, Dtype::kBFloat16));
  EXPECT_FALSE(has_kernel(KernelId::kCount, Dtype::kFloat32));
}

TEST_F(CudaParts, PinnedBlocksAreApartAndTheLowestFreeOneIsNext) {
  const auto pinned = std::make_shared<PinnedMemory>(0);
  std::vector<std::shared_ptr<std::byte>> blocks(100);
  std::set<std::byte*> addresses;
  for (auto& block : blocks) {
    ASSERT_TRUE(pinned->allocate(70'000, &block).ok());  // 128 KiB each: several slabs
    EXPECT_TRUE(pinned->contains(block.get(), 70'000));
    for (std::size_t at = 0; at < 70'000; at += 100) block.get()[at] = std::byte{1};
    addresses.insert(block.get());
  }
  ASSERT_EQ(addresses.size(), blocks.size());
  std::byte* before = nullptr;
  for (std::byte* address : addresses) {
    EXPECT_TRUE(before == nullptr || address - before >= 70'000);
    before = address;
  }
  const std::size_t reserved = pinned->reserved_bytes();
  blocks.clear();
  std::shared_ptr<std::byte> again;
  ASSERT_TRUE(pinned->allocate(70'000, &again).ok());
  EXPECT_EQ(again.get(), *addresses.begin());
  EXPECT_EQ(pinned->reserved_bytes(), reserved);
  int local = 0;
  EXPECT_FALSE(pinned->contains(&local, sizeof(local)));
  EXPECT_FALSE(pinned->contains(again.get(), reserved + 1));
  std::shared_ptr<std::byte> none;
  EXPECT_EQ(pinned->allocate(std::size_t{1} << 60, &none).kind(), ErrorKind::kOutOfMemory);
}

TEST_F(CudaParts, PinnedBlocksOutliveTheirOwner) {
  auto pinned = std::make_shared<PinnedMemory>(0);
  std::shared_ptr<std::byte> block;
  ASSERT_TRUE(pinned->allocate(100, &block).ok());
  pinned.reset();
  block.get()[99] = std::byte{1};
}

TEST_F(CudaParts, ALaneSlotThatIsGivenAgainIsZero) {
  const auto pinned = std::make_shared<PinnedMemory>(0);
  LaneSlots slots(0);
  ASSERT_TRUE(slots.open(*pinned).ok());
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  LaneSlot first, second;
  ASSERT_TRUE(slots.take(stream, &first).ok());
  ASSERT_TRUE(slots.take(stream, &second).ok());
  EXPECT_NE(first.record(), second.record());
  EXPECT_GE(std::abs(second.device_word() - first.device_word()), 64 / 8);
  for (const std::uint64_t commands : {3, 4}) {
    ASSERT_EQ(launch_tick({first.record(), first.device_word(), commands, {}, {}}, stream), cudaSuccess);
  }
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(first.word()->load(), 7U);
  const LaneRecord* const record = first.record();
  first = LaneSlot();
  ASSERT_TRUE(slots.take(stream, &first).ok());
  ASSERT_EQ(first.record(), record) << "the test wants the same slot";
  EXPECT_EQ(first.word()->load(), 0U);
  ASSERT_EQ(launch_tick({first.record(), first.device_word(), 1, {}, {}}, stream), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(first.word()->load(), 1U);
  cudaStreamDestroy(stream);
}

// The tick does the copy and the advance before the ticket, in this order.
TEST_F(CudaParts, TheTickCopiesAdvancesAndPublishes) {
  const auto pinned = std::make_shared<PinnedMemory>(0);
  LaneSlots slots(0);
  ASSERT_TRUE(slots.open(*pinned).ok());
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  LaneSlot slot;
  ASSERT_TRUE(slots.take(stream, &slot).ok());
  void* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, sizeof(GeneratorState)), cudaSuccess);
  auto* const state = static_cast<GeneratorState*>(memory);
  ASSERT_EQ(cudaMemsetAsync(state, 0, sizeof(GeneratorState), stream), cudaSuccess);
  std::shared_ptr<std::byte> out;
  ASSERT_TRUE(pinned->allocate(sizeof(GeneratorState), &out).ok());
  for (std::uint64_t round = 0; round < 3; ++round) {
    const TickArgs tick{slot.record(), slot.device_word(), 10, {state, 5}, {out.get(), state, sizeof(GeneratorState)}};
    ASSERT_EQ(launch_tick(tick, stream), cudaSuccess);
    while (slot.word()->load() < (round + 1) * 10) sync::spin_wait();
    EXPECT_EQ(reinterpret_cast<const GeneratorState*>(out.get())->block, round * 5) << "before it was moved";
  }
  EXPECT_TRUE(fits_tick({out.get(), state, 4096}));
  EXPECT_FALSE(fits_tick({out.get(), state, 4100}));
  EXPECT_FALSE(fits_tick({out.get(), state, 6}));
  EXPECT_FALSE(fits_tick({out.get() + 2, state, 8}));
  cudaFree(state);
  cudaStreamDestroy(stream);
}

TEST_F(CudaParts, EventsAreSharedWhereOneIsLateEnough) {
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  {
    EventRing ring(0);
    cudaEvent_t first = nullptr, again = nullptr, later = nullptr, earlier = nullptr;
    ASSERT_TRUE(ring.behind(Ticket{5}, Ticket{10}, stream, &first).ok());
    ASSERT_TRUE(ring.behind(Ticket{10}, Ticket{12}, stream, &again).ok());
    EXPECT_EQ(again, first) << "it was recorded behind ticket 10";
    ASSERT_TRUE(ring.behind(Ticket{11}, Ticket{12}, stream, &later).ok());
    EXPECT_NE(later, first);
    ASSERT_TRUE(ring.behind(Ticket{1}, Ticket{20}, stream, &earlier).ok());
    EXPECT_EQ(earlier, first) << "the earliest that is late enough";
    std::set<cudaEvent_t> events;
    for (std::uint64_t ticket = 100; ticket < 200; ++ticket) {
      ASSERT_TRUE(ring.behind(Ticket{ticket}, Ticket{ticket}, stream, &later).ok());
      events.insert(later);
    }
    EXPECT_LE(events.size(), EventRing::kMost);
  }
  cudaStreamDestroy(stream);
}

TEST_F(CudaParts, APlanIsMadeOnceForAShapeAndKeepsToItsAlignment) {
  const CublasLt* library = nullptr;
  ASSERT_TRUE(CublasLt::load(&library).ok());
  PlanTable table(*library, CudaMatmul::kFull, 0);
  ASSERT_TRUE(table.open().ok());
  void* device_memory = nullptr;
  ASSERT_EQ(cudaMalloc(&device_memory, 8192), cudaSuccess);
  auto* const memory = static_cast<float*>(device_memory);
  MatmulArgs args{};
  args.a = args.b = args.out = memory;
  args.m = args.n = args.k = args.lda = args.ldb = 300;
  args.batch = 1;
  const Plan& plan = table.plan(args, Dtype::kFloat32);
  EXPECT_EQ(plan.by, MatmulBy::kLibrary);
  EXPECT_EQ(&table.plan(args, Dtype::kFloat32), &plan);
  EXPECT_NE(&table.plan(args, Dtype::kFloat16), &plan);
  EXPECT_EQ(table.plans(), 2U);
  args.a = memory + 1;
  EXPECT_NE(&table.plan(args, Dtype::kFloat32), &plan) << "aligned to 4 bytes, not to 16";
  args.a = memory + 1024;
  EXPECT_EQ(&table.plan(args, Dtype::kFloat32), &plan) << "another address of the same alignment";
  args.k = 0;
  EXPECT_EQ(table.plan(args, Dtype::kFloat32).by, MatmulBy::kPlainKernel);
  args.m = args.n = args.k = args.lda = args.ldb = 64;
  EXPECT_EQ(table.plan(args, Dtype::kFloat32).by, MatmulBy::kSmallKernel);
  EXPECT_EQ(table.plan(args, Dtype::kFloat16).by, MatmulBy::kLibrary);
  cudaFree(memory);
}

}  // namespace
}  // namespace heddle::cuda
