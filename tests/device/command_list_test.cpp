#include "heddle/device/command_list.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace heddle {
namespace {

TEST(CommandList, CommandsComeBackInOrder) {
  CommandList list;
  float x = 0;
  EXPECT_TRUE(list.empty());
  list.append(KernelId::kFill, FillArgs{&x, 3, 7});
  list.append(KernelId::kCopyBytes, CopyBytesArgs{&x, &x, 4});
  ASSERT_EQ(list.commands(), 2u);

  const CommandView first(list.begin());
  EXPECT_EQ(first.kernel(), KernelId::kFill);
  EXPECT_EQ(first.dtype(), Dtype::kFloat32);
  EXPECT_EQ(first.args<FillArgs>().out, &x);
  EXPECT_EQ(first.args<FillArgs>().count, 3u);
  EXPECT_EQ(first.args<FillArgs>().value_bits, 7u);
  const CommandView second(first.next());
  EXPECT_EQ(second.kernel(), KernelId::kCopyBytes);
  EXPECT_EQ(second.args<CopyBytesArgs>().bytes, 4u);
  EXPECT_EQ(second.next(), list.end());
  EXPECT_EQ(list.bytes(), static_cast<std::size_t>(list.end() - list.begin()) * 8);
}

TEST(CommandList, ElementwiseLeavesUnusedDimensionsOut) {
  CommandList list;
  ElementwiseArgs args{};
  args.rank = 2;
  args.dims[0] = {4, 3, 2, 1};
  args.dims[1] = {5, 6, 7, 8};
  args.dims[2] = {99, 99, 99, 99};
  list.append(KernelId::kAdd, args);
  EXPECT_EQ(list.bytes(), 8 + offsetof(ElementwiseArgs, dims) + 2 * sizeof(LoopDim));
  const auto back = CommandView(list.begin()).args<ElementwiseArgs>();
  EXPECT_EQ(back.rank, 2u);
  EXPECT_EQ(back.dims[1].b_stride, 8);
  EXPECT_EQ(back.dims[2].extent, 0);
}

TEST(CommandList, GrowsAndIsReused) {
  CommandList list;
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0; i < 1000; ++i) list.append(KernelId::kFill, FillArgs{nullptr, i, i * i});
    ASSERT_EQ(list.commands(), 1000u);
    std::uint64_t i = 0;
    for (const std::uint64_t* at = list.begin(); at != list.end(); at = CommandView(at).next(), ++i) {
      ASSERT_EQ(CommandView(at).args<FillArgs>().count, i);
      ASSERT_EQ(CommandView(at).args<FillArgs>().value_bits, i * i);
    }
    EXPECT_EQ(i, 1000u);
    list.clear();
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(list.begin(), list.end());
  }
}

TEST(CommandList, EqualRecordingsHaveEqualWords) {
  CommandList a, b;
  for (CommandList* list : {&a, &b}) {
    ElementwiseArgs args{};
    args.rank = 1;
    args.dims[0] = {8, 1, 1, 1};
    list->append(KernelId::kMul, args);
    list->append(KernelId::kFill, FillArgs{nullptr, 1, 2});
  }
  ASSERT_EQ(a.bytes(), b.bytes());
  EXPECT_EQ(std::memcmp(a.begin(), b.begin(), a.bytes()), 0);
}

std::shared_ptr<std::byte> aligned(std::size_t bytes) {
  constexpr std::align_val_t kAlignment{64};
  return {static_cast<std::byte*>(::operator new(bytes, kAlignment)),
          [](std::byte* memory) { ::operator delete(memory, kAlignment); }};
}

TEST(CommandList, StagedMemoryIsAlignedAndMovesWithTheList) {
  CommandList list;
  const CommandList::Place one = list.stage(100, aligned);
  const CommandList::Place two = list.stage(28, aligned);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(one.memory) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(two.memory) % 64, 0u);
  EXPECT_EQ(two.slot, one.slot) << "small pieces share a slot";
  EXPECT_EQ(two.offset, 128u);
  std::memset(one.memory, 5, 100);
  EXPECT_EQ(list.bytes(), 128u);
  const CommandList moved = std::move(list);
  EXPECT_EQ(moved.staged(one.slot, one.offset)[99], std::byte{5});
  EXPECT_EQ(moved.bytes(), 128u);
}

TEST(CommandList, WhereDataIsStagedDependsOnTheSizesOnly) {
  CommandList a, b;
  const std::shared_ptr<std::byte> between = aligned(1 << 20);  // so that the second list's memory lies elsewhere
  for (CommandList* list : {&a, &b}) {
    for (int round = 0; round < 2; ++round) {
      list->clear();
      for (const std::size_t bytes : {24, 10'000, 3000, 2000, 1}) {
        const CommandList::Place place = list->stage(bytes, aligned);
        list->append(KernelId::kUpload, UploadArgs{nullptr, place.slot, place.offset, bytes});
      }
      list->append(Command<UploadArgs>(KernelId::kUpload, {nullptr, 0, 0, 1 << 20}), between);
    }
  }
  EXPECT_TRUE(a == b);
  std::uint64_t last_slot = 0;
  for (const std::uint64_t* at = a.begin(); at != a.end(); at = CommandView(at).next()) {
    last_slot = CommandView(at).args<UploadArgs>().slot;
  }
  EXPECT_EQ(a.staged(last_slot, 0), between.get());
}

}  // namespace
}  // namespace heddle
