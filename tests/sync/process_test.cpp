// Effects that are visible inside one process; separate processes test fork and exit.
#include "heddle/sync/process.hpp"

#include <gtest/gtest.h>

#include <string>

#include "heddle/error.hpp"

namespace heddle::sync {
namespace {

struct Counted {
  explicit Counted(int& count) : deaths(count) {}
  ~Counted() { ++deaths; }
  int& deaths;
};

TEST(Process, AnOrdinaryProcessIsNoForkedChild) {
  const ForkGuarded guarded;
  EXPECT_FALSE(in_forked_child());
  EXPECT_NO_THROW(require_not_forked());
}

TEST(Process, ForkedNamesTheRemedy) {
  try {
    throw_forked();
  } catch (const Forked& error) {
    EXPECT_NE(std::string(error.what()).find("open the runtime after the fork"), std::string::npos) << error.what();
  }
}

TEST(Process, ForkSafeDeleteDeletesOutsideAForkedChild) {
  int deaths = 0;
  ForkSafeDelete{}(new Counted(deaths));
  EXPECT_EQ(deaths, 1);
}

TEST(Process, PinningAProgramThatContainsTheLibraryIsHarmless) {
  pin_module();
  pin_module();
}

}  // namespace
}  // namespace heddle::sync
