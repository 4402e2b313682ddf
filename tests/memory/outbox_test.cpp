#include "heddle/memory/outbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <thread>
#include <vector>

#include "heddle/sync/asymmetric_fence.hpp"

namespace heddle {
namespace {

std::size_t count(Inbox& inbox) {
  std::size_t blocks = 0;
  for (Block* block = inbox.take_all(); block != nullptr; block = block->next()) ++blocks;
  return blocks;
}

class Outboxes : public ::testing::Test {
 protected:
  Outboxes() { sync::asymmetric_fence_mode(); }
  std::vector<Block> blocks_ = std::vector<Block>(200);
  std::array<Inbox, 12> inboxes_;
  Outbox outbox_;
};

TEST_F(Outboxes, PostsFullChains) {
  for (std::size_t i = 0; i < Outbox::kMostBlocks - 1; ++i) outbox_.add(inboxes_[0], &blocks_[i], 10, 256);
  EXPECT_TRUE(inboxes_[0].empty());
  outbox_.add(inboxes_[0], &blocks_[100], 10, 256);
  EXPECT_EQ(count(inboxes_[0]), Outbox::kMostBlocks);
  EXPECT_EQ(outbox_.freed().blocks, Outbox::kMostBlocks);
  EXPECT_EQ(outbox_.freed().requested, 10u * Outbox::kMostBlocks);
  EXPECT_EQ(outbox_.freed().rounded, 256u * Outbox::kMostBlocks);
}

// What makes a drain fast: of a chain's n blocks each is named by one that is at most log2(n) steps from the head.
TEST_F(Outboxes, EachBlockOfAChainIsAFewLinksFromItsHead) {
  for (std::size_t i = 0; i < Outbox::kMostBlocks; ++i) outbox_.add(inboxes_[0], &blocks_[i], 1, 256);
  std::vector<const Block*> chain;
  for (const Block* block = inboxes_[0].take_all(); block != nullptr; block = block->next()) chain.push_back(block);
  ASSERT_EQ(chain.size(), Outbox::kMostBlocks);
  EXPECT_EQ(chain.front(), &blocks_[Outbox::kMostBlocks - 1]) << "the newest first";
  std::vector<int> links(chain.size(), 1 << 10);
  links[0] = 0;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    for (const Block* to : {chain[i]->next(), chain[i]->ahead()}) {
      const auto found = std::find(chain.begin(), chain.end(), to);
      if (found == chain.end()) {
        EXPECT_EQ(to, nullptr) << "a hint names a block of its chain or none";
        continue;
      }
      int& known = links[static_cast<std::size_t>(found - chain.begin())];
      known = std::min(known, links[i] + 1);
    }
  }
  EXPECT_LE(*std::max_element(links.begin(), links.end()), std::bit_width(chain.size()));
}

// R10: what a thread holds back is bounded in bytes too.
TEST_F(Outboxes, R10_PostsHeavyBlocksAtOnce) {
  outbox_.add(inboxes_[0], &blocks_[0], 1, Outbox::kMostBytes);
  EXPECT_EQ(count(inboxes_[0]), 1u);
}

TEST_F(Outboxes, ServesMoreInboxesThanItHasChains) {
  for (std::size_t i = 0; i < 120; ++i) outbox_.add(inboxes_[i % 12], &blocks_[i], 1, 256);
  outbox_.flush();
  for (Inbox& inbox : inboxes_) EXPECT_EQ(count(inbox), 10u);
}

TEST_F(Outboxes, AClaimEmptiesItAndTheThreadGoesOnWithoutIt) {
  outbox_.add(inboxes_[0], &blocks_[0], 1, 256);
  outbox_.announce();
  sync::asymmetric_fence_heavy();
  EXPECT_TRUE(outbox_.flush_from_outside());
  EXPECT_EQ(count(inboxes_[0]), 1u);
  outbox_.add(inboxes_[0], &blocks_[1], 1, 256);
  EXPECT_EQ(count(inboxes_[0]), 1u) << "straight to the inbox while it is claimed";
  outbox_.withdraw();
  outbox_.add(inboxes_[0], &blocks_[2], 1, 256);
  EXPECT_TRUE(inboxes_[0].empty());
  EXPECT_EQ(outbox_.freed().blocks, 3u);
}

// Every block that threads post arrives once, while the owner takes and another claims.
TEST_F(Outboxes, NothingIsLostBetweenThreads) {
  constexpr std::size_t kThreads = 4, kBlocks = 20'000;
  std::vector<std::vector<Block>> blocks(kThreads);
  for (auto& own : blocks) own = std::vector<Block>(kBlocks);
  std::vector<Outbox> outboxes(kThreads);
  Inbox inbox;
  sync::Atomic<std::size_t> running{kThreads};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (Block& block : blocks[t]) outboxes[t].add(inbox, &block, 1, 256);
      outboxes[t].flush();
      running.fetch_sub(1);
    });
  }
  std::size_t arrived = 0;
  while (running.load() != 0) {
    for (Outbox& outbox : outboxes) outbox.announce();
    sync::asymmetric_fence_heavy();
    for (Outbox& outbox : outboxes) {
      outbox.flush_from_outside();
      outbox.withdraw();
    }
    arrived += count(inbox);
  }
  for (auto& thread : threads) thread.join();
  for (Outbox& outbox : outboxes) outbox.flush();
  arrived += count(inbox);
  EXPECT_EQ(arrived, kThreads * kBlocks);
}

}  // namespace
}  // namespace heddle
