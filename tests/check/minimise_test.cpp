#include "heddle_check/minimise/minimise.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "classics.hpp"
#include "kernels.hpp"

namespace heddle_check {
namespace {

DecisionList failing(const Scenario& in, const char* strategy, std::uint64_t seed = 1) {
  const Result result = Explorer().explore(in, *make_strategy(parse_strategy(strategy), seed), {.executions = 200'000});
  EXPECT_TRUE(result.failed()) << strategy << " on " << in.name;
  return result.decisions;
}

TEST(Minimise, KernelsComeDownToTheirFewestPreemptions) {
  const std::vector<std::pair<Scenario, std::uint32_t>> kernels{
      {classics::account(), 1},   {classics::deadlock01(), 1},   {classics::reorder(3), 1},
      {classics::twostage(1), 1}, {classics::stringbuffer(), 2}, {classics::bluetooth(), 1},
      {classics::lazy01(), 0},    {classics::wronglock(), 1}};
  for (const auto& [kernel, fewest] : kernels) {
    for (const char* strategy : {"walk:1", "surw"}) {
      SCOPED_TRACE(kernel.name + " by " + strategy);
      const DecisionList decisions = failing(kernel, strategy);
      const Minimised minimised = minimise(kernel, decisions);
      EXPECT_EQ(minimised.preemptions, fewest);
      EXPECT_EQ(minimised.story.size(), fewest);
      EXPECT_TRUE(minimised.smallest);
      EXPECT_GE(minimised.preemptions_before, fewest);
      EXPECT_EQ(minimised.replays_same, 100u);
      const Replayed again = Explorer().replay(kernel, minimised.decisions);
      EXPECT_EQ(signature_of(again.failure), signature_of(minimised.failure));
      EXPECT_EQ(again.trace_hash, minimised.trace_hash);
    }
  }
}

// If a search for fewer would take too long, the execution is still made small, without a claim about the minimum.
TEST(Minimise, LeavesOutPreemptionsThatDoNotMatter) {
  const Scenario kernel = classics::work_stealing();
  const Minimised minimised = minimise(kernel, failing(kernel, "walk:1"), {.search_executions = 0, .replays = 3});
  EXPECT_GT(minimised.preemptions_before, 10u);
  EXPECT_LE(minimised.preemptions, 3u);
  EXPECT_FALSE(minimised.smallest);
  EXPECT_NE(story_of(kernel, minimised).find("not known to be the fewest"), std::string::npos);
}

// A switch from a thread that cannot continue is no preemption, but the choice of the next thread matters: it is kept.
// Threads in the order of their numbers never fail here.
TEST(Minimise, KeepsTheOrderOfThreads) {
  const Scenario backwards = scenario([] {
    Atomic<int> noise{0}, last{0};
    at_once(3, [&](int t) {
      noise.fetch_add(1);
      const int before = last.exchange(t);
      noise.fetch_add(1);
      require(t != 1 || before != 2, "not backwards");
    });
  });
  int without = 0;  // without preemptions; not every seed gets there without the search
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Minimised minimised = minimise(backwards, failing(backwards, "walk:1", seed), {.search_executions = 0});
    without += minimised.preemptions == 0 ? 1 : 0;
  }
  EXPECT_GE(without, 5);
}

// With two failures, of which the other needs fewer preemptions, it keeps the one that was found.
TEST(Minimise, StaysWithItsFailure) {
  const Scenario two = scenario([] {
    Atomic<int> a{0};
    at_once(2, [&](int t) {
      const int before = a.load();
      const int after = a.fetch_add(1);
      if (t == 1) require(before == 0, "easy");
      require(before == after, "hard");
    });
  });
  // "easy" needs no preemption.
  DecisionList hard;
  for (std::uint64_t seed = 1; hard.empty(); ++seed) {
    const Result result = Explorer().explore(two, *make_strategy(parse_strategy("walk:1"), seed), {.executions = 1});
    if (result.failed() && signature_of(result.failure) == "oracle: hard") hard = result.decisions;
  }
  const Minimised minimised = minimise(two, hard);
  EXPECT_EQ(signature_of(minimised.failure), "oracle: hard");
  EXPECT_EQ(minimised.preemptions, 1u);
}

// Covers more than preemptions: a stale read without effect is removed, the one that matters stays.
TEST(Minimise, LeavesOutAnswersThatDoNotMatter) {
  const Scenario stale = scenario(
      [] {
        Atomic<int> data{0}, flag{0}, other{0};
        at_once(2, [&](int t) {
          constexpr auto relaxed = std::memory_order_relaxed;
          if (t == 0) {
            other.store(1, relaxed);
            data.store(1, relaxed);
            flag.store(1, relaxed);
          } else {
            static_cast<void>(other.load(relaxed));
            if (flag.load(relaxed) == 1) require(data.load(relaxed) == 1, "data comes with the flag");
          }
        });
      },
      {.stale_reads = 2});
  const Minimised minimised = minimise(stale, failing(stale, "walk:1", 3));
  EXPECT_EQ(minimised.preemptions, 0u);
  ASSERT_EQ(minimised.story.size(), 1u);
  EXPECT_NE(minimised.story[0].find("t1 at load"), std::string::npos) << minimised.story[0];
  EXPECT_NE(minimised.story[0].find("stale read, answer 1 of 2"), std::string::npos) << minimised.story[0];
}

TEST(Minimise, LockOrderIsMinimisedFromEachExecutionAlone) {
  const Scenario inverted = scenario([] {
    Mutex a("a"), b("b");
    Atomic<int> noise{0};
    at_once(2, [&](int t) {
      noise.fetch_add(1);
      Mutex& first = t == 0 ? a : b;
      Mutex& second = t == 0 ? b : a;
      first.lock();
      second.lock();
      second.unlock();
      first.unlock();
    });
  });
  const Minimised minimised = minimise(inverted, failing(inverted, "walk:0.3"));
  EXPECT_EQ(minimised.failure.kind, FailureKind::kLockOrder);
  EXPECT_EQ(minimised.preemptions, 0u);
}

TEST(Minimise, RefusesWhatDoesNotFail) {
  EXPECT_THROW(minimise(classics::account(), {0, 0, 0, 0, 200}), std::invalid_argument);
  const Scenario harmless = scenario([] {});
  EXPECT_THROW(minimise(harmless, {}), std::invalid_argument);
}

TEST(Story, TellsWhoIsPreemptedWhere) {
  const Scenario kernel = classics::account();
  const std::string story = story_of(kernel, minimise(kernel, failing(kernel, "walk:1")));
  EXPECT_NE(story.find("account: oracle: both changes count"), std::string::npos) << story;
  EXPECT_NE(story.find("with 1 preemption (found with "), std::string::npos) << story;
  EXPECT_NE(story.find("no execution fails in this way with fewer"), std::string::npos) << story;
  EXPECT_NE(story.find("is preempted before "), std::string::npos) << story;
  EXPECT_NE(story.find("classics.cpp:"), std::string::npos) << story;
  EXPECT_NE(story.find("repeated 100 times, the same each time"), std::string::npos) << story;
}

TEST(Story, TheStubIsATestThatFailsNow) {
  const Scenario kernel = classics::account();
  const Minimised minimised = minimise(kernel, failing(kernel, "walk:1"));
  const std::string stub = test_stub(kernel, minimised, "classics::account()");
  EXPECT_NE(stub.find("TEST(Found, account_"), std::string::npos) << stub;
  EXPECT_NE(stub.find("explorer.replay(classics::account(), decisions)"), std::string::npos) << stub;
  EXPECT_NE(stub.find("\"oracle\""), std::string::npos) << stub;
  // The decoded decisions are those that failed.
  const std::size_t begin = stub.find("decode_runs(\n") + 13;
  std::string literal, rest = stub.substr(begin, stub.find(");", begin) - begin);
  for (const char c : rest) literal += c == '"' || c == ' ' || c == '\n' ? "" : std::string(1, c);
  EXPECT_EQ(decode_runs(literal), minimised.decisions);
}

TEST(Signature, LeavesOutWhatDiffersBetweenExecutions) {
  EXPECT_EQ(signature_of({FailureKind::kOracle, "sum is right (thread t0, a.cpp:3)", ""}), "oracle: sum is right");
  EXPECT_EQ(signature_of({FailureKind::kMisuse, "pool#12 is locked again (thread t0, a.cpp:3)", ""}),
            signature_of({FailureKind::kMisuse, "pool#3 is locked again (thread t1, a.cpp:3)", ""}));
  EXPECT_EQ(signature_of({FailureKind::kDeadlock, "no thread can continue (thread t0, a.cpp:3)", ""}), "deadlock");
  EXPECT_NE(signature_of({FailureKind::kOracle, "a (thread t0, a.cpp:3)", ""}),
            signature_of({FailureKind::kOracle, "b (thread t0, a.cpp:3)", ""}));
}

}  // namespace
}  // namespace heddle_check
