#include "heddle/sync/no_waiting.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "heddle/error.hpp"

namespace heddle::sync {
namespace {

TEST(NoWaiting, RefusesInsideAndOnlyThere) {
  EXPECT_FALSE(NoWaiting::active());
  EXPECT_NO_THROW(NoWaiting::refuse("waiting"));
  {
    const NoWaiting outer("a test");
    EXPECT_TRUE(NoWaiting::active());
    EXPECT_THROW(NoWaiting::refuse("waiting"), WouldBlock);
    std::thread([] { EXPECT_FALSE(NoWaiting::active()) << "the state is thread-local"; }).join();
  }
  EXPECT_FALSE(NoWaiting::active());
}

TEST(NoWaiting, NestsAndNamesTheInnermost) {
  const NoWaiting outer("the outer place");
  {
    const NoWaiting inner("the inner place");
    try {
      NoWaiting::refuse("taking a stream");
      ADD_FAILURE();
    } catch (const WouldBlock& error) {
      const std::string text = error.what();
      EXPECT_EQ(text.find("taking a stream would wait inside the inner place"), 0u) << text;
      EXPECT_NE(text.find("Executor"), std::string::npos) << "the remedy: " << text;
    }
  }
  try {
    NoWaiting::refuse("x");
    ADD_FAILURE();
  } catch (const WouldBlock& error) {
    EXPECT_NE(std::string(error.what()).find("the outer place"), std::string::npos);
  }
}

}  // namespace
}  // namespace heddle::sync
