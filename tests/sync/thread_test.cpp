#include "heddle/sync/thread.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "heddle/sync/atomic.hpp"

namespace heddle {
namespace {

TEST(Thread, PreferringShortTurnsKeepsPolicyAndPriority) {
  sync::Atomic<bool> same{false};
  sync::Thread thread("short turns", [&] {
    const int policy = sched_getscheduler(0);
    setpriority(PRIO_PROCESS, static_cast<id_t>(sync::this_thread_id()), 3);  // on Linux, for this thread only
    sync::prefer_short_turns();
    const int nice = getpriority(PRIO_PROCESS, static_cast<id_t>(sync::this_thread_id()));
    same.store(sched_getscheduler(0) == policy && nice == 3);
  });
  thread.join();
  EXPECT_TRUE(same.load());
}

TEST(Thread, TheCurrentProcessorIsOneThatThisThreadMayUse) {
  cpu_set_t mine, before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (!CPU_ISSET(processor, &before)) continue;
    CPU_ZERO(&mine);
    CPU_SET(processor, &mine);
    ASSERT_EQ(sched_setaffinity(0, sizeof(mine), &mine), 0);
    EXPECT_EQ(sync::current_processor(), processor);
  }
  sched_setaffinity(0, sizeof(before), &before);
}

}  // namespace
}  // namespace heddle
