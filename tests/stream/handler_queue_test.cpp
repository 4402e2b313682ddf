#include "heddle/stream/handler_queue.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

constexpr std::chrono::minutes kLong{10};

class ADeviceQueue : public Queue {
 public:
  ADeviceQueue() : Queue(StreamId{5}) {}
  using Queue::publish;
};

const Ticket kEnd{std::numeric_limits<std::uint64_t>::max() - 1};

HandlerQueue::Entry entry(std::uint64_t ticket, std::string name) {
  return {Ticket{ticket}, [](const Status&) {}, {std::move(name), nullptr}, nullptr};
}

std::vector<std::string> drain(HandlerQueue& line, Ticket limit) {
  std::vector<std::string> names;
  HandlerQueue::Entry next;
  while (line.take(limit, &next)) {
    names.push_back(next.options.name);
    line.note_finished(HandlerQueue::Outcome::kRun);
  }
  return names;
}

TEST(HandlerQueue, GivesEntriesInOrderAndOnlyUpToTheLimit) {
  ADeviceQueue queue;
  HandlerQueue line(queue);
  EXPECT_TRUE(line.add(entry(1, "a")));
  EXPECT_TRUE(line.add(entry(3, "c")));
  EXPECT_TRUE(line.add(entry(3, "d")));
  EXPECT_TRUE(line.add(entry(2, "b")));
  EXPECT_FALSE(line.ripe(Ticket{0}));
  EXPECT_TRUE(line.ripe(Ticket{1}));
  EXPECT_EQ(drain(line, Ticket{2}), (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(line.ripe(Ticket{2}));
  EXPECT_EQ(drain(line, kEnd), (std::vector<std::string>{"c", "d"}));
}

TEST(HandlerQueue, WatchesItsQueueWhileEntriesWait) {
  ADeviceQueue queue;
  HandlerQueue line(queue);
  EXPECT_FALSE(queue.watched());
  line.add(entry(1, "a"));
  line.add(entry(2, "b"));
  EXPECT_TRUE(queue.watched());
  drain(line, Ticket{1});
  EXPECT_TRUE(queue.watched());
  drain(line, kEnd);
  EXPECT_FALSE(queue.watched()) << "an idle runtime must be left alone";
}

TEST(HandlerQueue, KeepsTheOrderWhileItIsFilledAndEmptiedAtOnce) {
  ADeviceQueue queue;
  HandlerQueue line(queue);
  std::vector<std::string> expected;
  const auto add = [&](std::uint64_t ticket) { EXPECT_TRUE(line.add(entry(ticket, std::to_string(ticket)))); };
  for (std::uint64_t ticket = 1; ticket <= 200; ++ticket) add(2 * ticket);
  std::vector<std::string> seen = drain(line, Ticket{300});  // 150 of them, whose places may be used again
  add(301);                                                  // becomes the first
  for (std::uint64_t ticket = 201; ticket <= 300; ++ticket) add(2 * ticket);
  add(501);  // into the middle
  EXPECT_TRUE(line.ripe(Ticket{301}));
  EXPECT_FALSE(line.ripe(Ticket{300}));
  for (const std::string& name : drain(line, kEnd)) seen.push_back(name);
  for (std::uint64_t ticket = 1; ticket <= 600; ++ticket) {
    if (ticket % 2 == 0 || ticket == 301 || ticket == 501) expected.push_back(std::to_string(ticket));
  }
  EXPECT_EQ(seen, expected);
}

// R11: what is not due leaves no room, but what was due before it does.
TEST(HandlerQueue, R11_AThreadThatWaitsForRoomGoesOnWhenNothingMoreIsDue) {
  ADeviceQueue queue;
  HandlerQueue line(queue);
  line.add(entry(1, "due"));
  line.add(entry(2, "not due"));
  sync::Atomic<bool> never{false};
  sync::Atomic<bool> has_room{false};
  std::thread waiter([&] {
    EXPECT_TRUE(line.wait_for_room(2, never, kLong));
    has_room.store(true);
  });
  std::this_thread::sleep_for(milliseconds(20));  // so that it waits; where it does not yet, it finds room later
  HandlerQueue::Entry taken;
  EXPECT_TRUE(line.take(Ticket{1}, &taken));
  EXPECT_FALSE(line.take(Ticket{1}, &taken, HandlerQueue::Outcome::kRun));
  EXPECT_TRUE(eventually([&] { return has_room.load(); }));
  never.store(true);
  line.wake();
  waiter.join();
  drain(line, kEnd);
}

TEST(HandlerQueue, TheLibrarysOwnEntriesAreAwaitedAndCountedNowhere) {
  ADeviceQueue queue;
  HandlerQueue line(queue);
  HandlerQueue::Entry own = entry(1, "own");
  own.is_library_own = true;
  EXPECT_TRUE(line.idle());
  line.add(std::move(own));
  EXPECT_FALSE(line.idle());
  const sync::Atomic<bool> never{false};
  EXPECT_TRUE(line.wait_for_room(1, never, kLong));  // returns: it takes no room
  line.add(entry(2, "a"));
  EXPECT_EQ(line.counts().registered, 1u);
  HandlerQueue::Entry taken;
  ASSERT_TRUE(line.take(kEnd, &taken));
  ASSERT_TRUE(line.take(kEnd, &taken, HandlerQueue::Outcome::kLibraryOwn));
  EXPECT_FALSE(line.idle());
  line.note_finished(HandlerQueue::Outcome::kRun);
  EXPECT_TRUE(line.idle());
  EXPECT_EQ(line.counts().registered, 1u);
  EXPECT_EQ(line.counts().run, 1u);
}

TEST(HandlerQueue, OnlyOneCallerSchedulesIt) {
  ADeviceQueue queue;
  HandlerQueue line(queue);
  EXPECT_TRUE(line.claim_schedule());
  EXPECT_FALSE(line.claim_schedule());
  line.end_schedule();
  EXPECT_TRUE(line.claim_schedule());
}

TEST(HandlerQueue, C45_ClosedItTakesNothingMoreAndKeepsWhatItHas) {
  ADeviceQueue queue;
  HandlerQueue line(queue);
  line.add(entry(1, "a"));
  line.close();
  EXPECT_FALSE(line.add(entry(2, "b")));
  EXPECT_EQ(line.counts().registered, 1u);
  EXPECT_EQ(line.counts().pending(), 1u);
  EXPECT_EQ(drain(line, kEnd), std::vector<std::string>{"a"});
  EXPECT_EQ(line.counts().run, 1u);
}

// R02: the registration publishes its ticket and looks at completed(); the device publishes completed() and looks at
// the registration. Without sequential consistency both may miss each other, and the handler never runs.
TEST(HandlerQueue, R02_RegistrationAndCompletionNeverMissEachOther) {
  SimCore sim;
  constexpr int kRounds = 3000;
  sync::Atomic<int> submitted{0};
  std::thread device([&] {
    for (int done = 0; done < kRounds;) {
      if (submitted.load() > done && sim.device().step()) ++done;
    }
  });
  sync::Atomic<int> told{0};
  for (int round = 1; round <= kRounds; ++round) {
    const Tensor x = full(sim, {1}, 1.0f);
    sim.commit();
    submitted.store(round);  // from here on, the step and the registration race
    sim.on_complete([&](const Status&) { told.fetch_add(1); });
    ASSERT_TRUE(eventually([&] { return told.load() == round; })) << "round " << round;
  }
  device.join();
}

}  // namespace
}  // namespace heddle
