#include "heddle/memory/free_ledger.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace heddle {
namespace {

class Ledgers : public ::testing::Test {
 protected:
  ~Ledgers() override { ledger_->close(); }  // as a memory does: the blocks and the inbox go
  std::shared_ptr<FreeLedger> ledger_ = std::make_shared<FreeLedger>();
  std::vector<Block> blocks_ = std::vector<Block>(64);
  Inbox inbox_;
};

TEST_F(Ledgers, EachThreadHasItsOutboxAndAllAreCounted) {
  Outbox* const own = ledger_->outbox();
  EXPECT_EQ(ledger_->outbox(), own);
  own->add(inbox_, &blocks_[0], 10, 256);
  std::thread([&] {
    EXPECT_NE(ledger_->outbox(), own);
    ledger_->outbox()->add(inbox_, &blocks_[1], 20, 256);
  }).join();
  EXPECT_EQ(ledger_->freed().blocks, 2u);
  EXPECT_EQ(ledger_->freed().requested, 30u);
}

TEST_F(Ledgers, AThreadThatEndsPostsWhatItHeld) {
  std::thread([&] { ledger_->outbox()->add(inbox_, &blocks_[0], 10, 256); }).join();
  EXPECT_EQ(inbox_.take_all(), &blocks_[0]);
}

TEST_F(Ledgers, OneThreadsOutboxesOfTwoLedgersAreDistinct) {
  const auto other = std::make_shared<FreeLedger>();
  Outbox* const first = ledger_->outbox();
  EXPECT_NE(other->outbox(), first);
  EXPECT_EQ(ledger_->outbox(), first);
}

TEST_F(Ledgers, FlushAllReachesIdleThreads) {
  ledger_->outbox()->add(inbox_, &blocks_[0], 10, 256);
  EXPECT_TRUE(inbox_.empty());
  std::thread([&] { ledger_->flush_all(); }).join();
  EXPECT_EQ(inbox_.take_all(), &blocks_[0]);
}

TEST_F(Ledgers, TheOwnerGoesWithTheLastBlockAndOnce) {
  auto owner = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = owner;
  EXPECT_EQ(ledger_->retire(3, std::move(owner)), nullptr);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(watched.expired()) << i;
    Outbox* const outbox = ledger_->outbox();
    outbox->add(inbox_, &blocks_[static_cast<std::size_t>(i)], 1, 256);
    EXPECT_EQ(ledger_->settle(outbox) != nullptr, i == 2);
  }
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(ledger_->settle(nullptr), nullptr);
}

TEST_F(Ledgers, TheOwnerGoesAtOnceWhenNothingIsLive) {
  ledger_->outbox()->add(inbox_, &blocks_[0], 1, 256);
  EXPECT_NE(ledger_->retire(1, std::make_shared<int>(0)), nullptr);
}

// Of many threads that free the last blocks, exactly one gets the owner.
TEST_F(Ledgers, OfThreadsThatFreeAtTheEndOneGetsTheOwner) {
  for (int round = 0; round < 100; ++round) {
    const auto ledger = std::make_shared<FreeLedger>();
    Inbox inbox;
    std::vector<Block> blocks(4);
    sync::Atomic<int> owners{0};
    std::vector<std::thread> threads;
    for (Block& block : blocks) {
      threads.emplace_back([&] {
        Outbox* const outbox = ledger->outbox();
        outbox->add(inbox, &block, 1, 256);
        if (ledger->settle(outbox) != nullptr) owners.fetch_add(1);
      });
    }
    if (ledger->retire(4, std::make_shared<int>(0)) != nullptr) owners.fetch_add(1);
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(owners.load(), 1);
  }
}

TEST_F(Ledgers, AfterCloseThreadsLeaveItAlone) {
  std::thread([&] {
    ledger_->outbox()->add(inbox_, &blocks_[0], 1, 256);
    ledger_->close();
    EXPECT_EQ(inbox_.take_all(), &blocks_[0]);
    ledger_->flush_own();
  }).join();
  EXPECT_TRUE(inbox_.empty());
}

}  // namespace
}  // namespace heddle
