#include "heddle_check/linearizability.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "kernels.hpp"

namespace heddle_check {
namespace {

struct Op {
  char kind;  // 'w'rite, 'r'ead; 'p'ush, 't'ake
  int value = 0;
};

int use_register(int& state, const Op& op) {
  if (op.kind == 'w') state = op.value;
  return op.kind == 'w' ? 0 : state;
}

using Queue = std::deque<int>;
int use_queue(Queue& queue, const Op& op) {
  if (op.kind == 'p') {
    queue.push_back(op.value);
    return 0;
  }
  if (queue.empty()) return -1;
  const int front = queue.front();
  queue.pop_front();
  return front;
}

using History = CallHistory<Op, int>;

TEST(Linearizability, ASequenceMustFollowTheModel) {
  for (const int read : {1, 2}) {
    History history;
    history.finish(history.start({'w', 1}), 0);
    history.finish(history.start({'r'}), read);
    EXPECT_EQ(history.linearizable(0, use_register), read == 1);
  }
}

TEST(Linearizability, AnOverlappingWriteIsSeenOrNot) {
  for (const int read : {0, 1, 2}) {
    History history;
    const auto write = history.start({'w', 1});
    history.finish(history.start({'r'}), read);
    history.finish(write, 0);
    EXPECT_EQ(history.linearizable(0, use_register), read <= 1);
  }
}

// Two consecutive reads during the same write: the new value, then the old one.
TEST(Linearizability, WhatWasSeenStays) {
  for (const auto& [first, second, right] : {std::tuple{0, 1, true}, {1, 1, true}, {1, 0, false}}) {
    History history;
    const auto write = history.start({'w', 1});
    history.finish(history.start({'r'}), first);
    history.finish(history.start({'r'}), second);
    history.finish(write, 0);
    EXPECT_EQ(history.linearizable(0, use_register), right) << first << ", " << second;
  }
}

TEST(Linearizability, ACallThatNeverEndedMayHaveTakenEffect) {
  for (const int read : {0, 1, 2}) {
    History history;
    history.start({'w', 1});
    history.finish(history.start({'r'}), read);
    EXPECT_EQ(history.linearizable(0, use_register), read <= 1);
  }
}

TEST(Linearizability, TheFullLengthIsSearchedAndNoMore) {
  History history;
  std::vector<History::CallId> open;
  for (int i = 0; i < static_cast<int>(History::kMostCalls) / 2; ++i) open.push_back(history.start({'p', i}));
  for (const auto call : open) history.finish(call, 0);
  open.clear();
  for (int i = 0; i < static_cast<int>(History::kMostCalls) / 2; ++i) open.push_back(history.start({'t'}));
  EXPECT_THROW(history.start({'t'}), std::length_error);
  for (int i = 0; i < static_cast<int>(open.size()); ++i) history.finish(open[static_cast<std::size_t>(i)], 5 - i);
  EXPECT_TRUE(history.linearizable(Queue{}, use_queue));
  // One value appears twice: no order of all pushes and takes explains it.
  history.finish(open[0], 4);
  EXPECT_FALSE(history.linearizable(Queue{}, use_queue));
}

// A queue whose take checks and removes in two sections: two threads take the same element.
Scenario queue_of_two_takers(bool broken) {
  return scenario([broken] {
    Mutex mutex;
    Queue queue{7, 8};
    History history;
    at_once(2, [&](int) {
      const auto call = history.start({'t'});
      mutex.lock();
      const int front = queue.empty() ? -1 : queue.front();
      if (broken) {
        mutex.unlock();
        mutex.lock();
      }
      queue.pop_front();
      mutex.unlock();
      history.finish(call, front);
    });
    require(history.linearizable(Queue{7, 8}, use_queue), "the queue behaves as one");
  });
}

TEST(Linearizability, ServesAScenarioAsItsOracle) {
  EXPECT_EQ(exhaust(queue_of_two_takers(true)).failure.kind, FailureKind::kOracle);
  const Result right = exhaust(queue_of_two_takers(false));
  EXPECT_TRUE(right.exhausted && !right.failed()) << right.failure.text;
}

}  // namespace
}  // namespace heddle_check
