// When the deleter of external memory is called, and by which thread.
#include "heddle/memory/external_memory.hpp"

#include <gtest/gtest.h>

#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

class ExternalBlocks : public ::testing::Test {
 protected:
  // Used by the calling thread's stream, whose list the device has not begun.
  Buffer in_use() {
    Buffer x(test_.memory().adopt(&value_, sizeof(value_), [this] { ended_.fetch_add(1); }));
    test_.use(x);
    test_.commit();
    return x;
  }
  // What a shutdown does, whose time is up.
  bool stop_handlers() { return test_.sim().pool()->stop_handlers(sync::Deadline::at({})); }

  float value_ = 0;
  sync::Atomic<int> ended_{0};
  TestMemory test_;
};

TEST_F(ExternalBlocks, DroppedWhenNoHandlerIsTakenAnyMoreItEndsAtTheClose) {
  Buffer x = in_use();
  ASSERT_TRUE(stop_handlers());
  x = {};
  EXPECT_EQ(ended_.load(), 0) << "a stream uses it";
  test_.run_all();
  test_.memory().retire(nullptr);
  EXPECT_EQ(ended_.load(), 1);
  EXPECT_EQ(test_.statistics().live_blocks, 0u);
}

TEST_F(ExternalBlocks, WhoseHandlerIsAbandonedItEndsAtTheClose) {
  Buffer x = in_use();
  x = {};
  ASSERT_TRUE(stop_handlers());
  EXPECT_EQ(ended_.load(), 0) << "a stream uses it";
  test_.run_all();
  test_.memory().retire(nullptr);
  EXPECT_EQ(ended_.load(), 1);
  EXPECT_EQ(test_.statistics().live_blocks, 0u);
}

TEST_F(ExternalBlocks, DroppedBehindTheCloseItEndsAtOnce) {
  Buffer x = in_use();
  ASSERT_TRUE(stop_handlers());
  test_.run_all();
  test_.memory().retire(nullptr);
  x = {};
  EXPECT_EQ(ended_.load(), 1);
}

TEST_F(ExternalBlocks, WithoutACloseItIsKeptWhileAStreamMightUseIt) {
  in_use();
  ASSERT_TRUE(stop_handlers());
  EXPECT_EQ(ended_.load(), 0);
  EXPECT_EQ(test_.statistics().live_blocks, 1u);
  test_.run_all();
  test_.memory().on_commit();  // for the fixture, which keeps nothing
  EXPECT_EQ(ended_.load(), 1);
}

TEST_F(ExternalBlocks, ItsEndIsNobodysHandler) {
  in_use();
  EXPECT_EQ(test_.sim().handlers().pending, 0u);
  test_.run_all();
  EXPECT_TRUE(eventually([&] { return ended_.load() == 1; }));
  const HandlerStatistics now = test_.sim().handlers();
  EXPECT_EQ(now.registered, 0u);
  EXPECT_EQ(now.run, 0u);
  EXPECT_EQ(now.pending, 0u);
  EXPECT_EQ(test_.sim().shutdown().handlers_run, 0u);
}

}  // namespace
}  // namespace heddle
