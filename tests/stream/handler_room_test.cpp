// Room among the handlers of a stream: waiting for it, trying, and the error.
#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

// C22: a wait for room among the handlers ends, and its error says what it waited for.
TEST(HandlerRoom, C22_AWaitForRoomAmongTheHandlersEndsAndSaysWhatItWaitedFor) {
  CoreOptions options;
  options.limits.handlers_max = 2;
  options.limits.handler_wait_max = milliseconds(20);
  SimCore sim(options);
  Log log;
  const Tensor x = sim.submit();
  sim.on_complete(log.handler("first"), {.name = "reply", .executor = nullptr});
  sim.on_complete(log.handler("second"));
  const Tensor y = full(sim, {4}, 1.0f);
  const std::string text = text_of<Timeout>([&] { sim.on_complete(log.handler("third")); });
  for (const char* part : {"stream 0", "handlers_max: 2", "20 ms (handler_wait_max)", "2 are pending", "'reply'",
                           "waits for ticket 1, and the device has completed 0", "try_on_complete()"}) {
    EXPECT_TRUE(contains(text, part)) << part << ": " << text;
  }
  EXPECT_EQ(sim.handlers().registered, 2u);
  sim.run_all();
  EXPECT_TRUE(sim.handlers_settle());
  sim.on_complete(log.handler("third"));
  EXPECT_EQ(log.wait_for(3), (std::vector<std::string>{"first ok", "second ok", "third ok"}));
}

TEST(HandlerRoom, C22_TheErrorTellsOfAHandlerThatKeepsItsThread) {
  CoreOptions options;
  options.limits.handlers_max = 1;
  options.limits.handler_wait_max = milliseconds(20);
  std::latch go_on(1), runs(1);  // the handler may still be inside wait() when the test ends
  SimCore sim(options);
  sim.on_complete([&](const Status&) {
    runs.count_down();
    go_on.wait();
  });
  runs.wait();
  const std::string text = text_of<Timeout>([&] { sim.on_complete([](const Status&) {}); });
  EXPECT_TRUE(contains(text, "one runs on the handler thread")) << text;
  go_on.count_down();
}

TEST(HandlerRoom, TryOnCompleteNeverWaitsAndChangesNothingWhereItWould) {
  CoreOptions options;
  options.limits.handlers_max = 2;
  options.limits.committed_lists_max = 2;
  SimCore sim(options);
  Log log;
  const Tensor x = sim.submit();
  const Tensor y = sim.submit();
  const Tensor z = full(sim, {4}, 3.0f);
  EXPECT_FALSE(sim.try_on_complete(log.handler("no"))) << "the commit would wait";
  EXPECT_EQ(sim.handlers().registered, 0u);
  ASSERT_TRUE(sim.device().step());
  EXPECT_TRUE(sim.try_on_complete(log.handler("first")));
  EXPECT_TRUE(sim.try_on_complete(log.handler("second")));
  sim.run_all();
  EXPECT_TRUE(sim.handlers_settle());
  const Tensor held = sim.submit();
  sim.on_complete(log.handler("third"));
  EXPECT_TRUE(sim.try_on_complete(log.handler("fourth")));
  const Tensor after = full(sim, {4}, 3.0f);
  const auto commits = [&] { return Recording(sim.pool()).lane().committed(); };
  const Ticket committed = commits();
  EXPECT_FALSE(sim.try_on_complete(log.handler("no"))) << "there is no room";
  EXPECT_EQ(commits(), committed) << "nothing was committed";
  EXPECT_THROW(sim.try_on_complete({}), InvalidArgument);
  sim.run_all();
  EXPECT_EQ(log.wait_for(4), (std::vector<std::string>{"first ok", "second ok", "third ok", "fourth ok"}));
}

TEST(HandlerRoom, C19_InAHandlerRegisteringWithoutRoomIsRefusedAtOnce) {
  CoreOptions options;
  options.limits.handlers_max = 1;
  SimCore sim(options);
  std::latch done(1);
  sim.on_complete([&](const Status&) {  // on a stream of its own
    const Tensor x = sim.submit();
    sim.on_complete([](const Status&) {});
    const std::string text = text_of<WouldBlock>([&] { sim.on_complete([](const Status&) {}); });
    EXPECT_TRUE(contains(text, "registering a handler")) << text;
    EXPECT_FALSE(sim.try_on_complete([](const Status&) {}));
    done.count_down();
  });
  done.wait();
}

}  // namespace
}  // namespace heddle
