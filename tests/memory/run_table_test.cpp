#include "heddle/memory/run_table.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

namespace heddle {
namespace {

constexpr std::size_t kRunBytes = std::size_t{2} << 20;

class RunTables : public ::testing::Test {
 protected:
  RunTables() { spans_.add(std::bit_cast<std::byte*>(std::uintptr_t{1} << 40), std::size_t{64} << 20); }
  ~RunTables() override { runs_.audit(); }
  // The lowest free slot; as Heap does.
  Block* take(std::size_t kind) {
    if (runs_.first(kind).free == 0 && !runs_.make(kind, kRunBytes, spans_)) return nullptr;
    heddle::Run& run = runs_.first(kind);
    Block& block = run.take_lowest();
    block.references.store(1);
    if (run.free == 0) runs_.find_first(kind);
    return &block;
  }
  void give(Block* block) {
    block->references.store(kBlockFree);
    block->run->free |= std::uint64_t{1} << (block - block->run->blocks);
    runs_.note_free(*block->run);
  }
  SpanReplay spans_;
  RunTable runs_{nullptr, nullptr};
};

TEST_F(RunTables, ANewTableHasNoFreeSlot) {
  for (std::size_t kind = 0; kind < RunTable::kKinds; ++kind) EXPECT_EQ(runs_.first(kind).free, 0u);
  EXPECT_EQ(runs_.bytes(), 0u);
}

TEST_F(RunTables, EachFurtherRunHasAsManySlotsAsAllBefore) {
  const std::size_t kind = size_class(16 << 10);
  std::vector<heddle::Run*> runs;
  for (int slot = 0; slot < 16; ++slot) {
    heddle::Run* const run = take(kind)->run;
    if (runs.empty() || runs.back() != run) runs.push_back(run);
  }
  ASSERT_EQ(runs.size(), 3u);
  EXPECT_EQ(runs[0]->all, 0xfu);
  EXPECT_EQ(runs[1]->all, 0xfu);
  EXPECT_EQ(runs[2]->all, 0xffu);
}

TEST_F(RunTables, TheLowestRunWithAFreeSlotIsFirst) {
  const std::size_t kind = size_class(64 << 10);
  std::vector<Block*> blocks;
  for (int slot = 0; slot < 8; ++slot) blocks.push_back(take(kind));
  give(blocks[7]);
  EXPECT_EQ(&runs_.first(kind), blocks[7]->run);
  give(blocks[0]);
  EXPECT_EQ(&runs_.first(kind), blocks[0]->run);
  EXPECT_EQ(take(kind), blocks[0]);
  EXPECT_EQ(take(kind), blocks[7]);
}

TEST_F(RunTables, OnlyEmptyRunsDissolve) {
  const std::size_t kind = size_class(64 << 10);
  Block* const kept = take(kind);
  Block* const second = take(kind);
  Block* const third = take(kind);  // in a run of its own
  ASSERT_NE(third->run, kept->run);
  const std::size_t free = spans_.bytes(), bytes = third->run->bytes();
  give(second);
  give(third);
  EXPECT_EQ(runs_.empty_bytes(false), bytes);
  EXPECT_EQ(runs_.empty_bytes(true), 0u) << "of what roams there is none";
  runs_.dissolve(true, spans_);
  EXPECT_EQ(runs_.empty_bytes(false), bytes);
  runs_.dissolve(false, spans_);
  EXPECT_EQ(spans_.bytes(), free + bytes);
  EXPECT_EQ(runs_.bytes(), kept->run->bytes());
  EXPECT_EQ(take(kind), second) << "the other slot of the run that stayed";
}

TEST_F(RunTables, WhatRoamsHasItsOwnRunsWithMoreSlots) {
  const std::size_t staying = RunTable::kind(size_class(64 << 10), false);
  const std::size_t roaming = RunTable::kind(size_class(64 << 10), true);
  EXPECT_GT(runs_.wanted_bytes(roaming, kRunBytes), runs_.wanted_bytes(staying, kRunBytes));
  heddle::Run& run = *take(roaming)->run;
  EXPECT_TRUE(run.is_roaming && run.is_slow);
  EXPECT_EQ(runs_.first(staying).free, 0u);
}

TEST_F(RunTables, ARunIsAsShortAsTheSpansAllow) {
  SpanReplay scarce;
  scarce.add(std::bit_cast<std::byte*>(std::uintptr_t{1} << 41), std::size_t{32} << 10);
  const std::size_t kind = size_class(16 << 10);
  ASSERT_TRUE(runs_.make(kind, kRunBytes, scarce));
  EXPECT_EQ(runs_.first(kind).all, 0x3u) << "two slots rather than four";
  EXPECT_FALSE(runs_.make(kind, kRunBytes, scarce));
}

}  // namespace
}  // namespace heddle
