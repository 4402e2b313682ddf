// Decisions determine everything: the same ones give the same execution, on fibers and on real threads; wrong ones are
// rejected loudly.
#include <gtest/gtest.h>

#include <stdexcept>

#include "kernels.hpp"

namespace heddle_check {
namespace {

// A bounded buffer with a bit of everything: locks, waits, timeouts, atomics, stale reads, thread-locals.
struct BufferTag;
void bounded_buffer() {
  Mutex mutex("buffer");
  ConditionVariable changed;
  Atomic<int> taken{0};
  int count = 0;
  at_once(3, [&](int t) {
    ++ThreadLocal<int, BufferTag>::get();
    for (int i = 0; i < 2; ++i) {
      mutex.lock();
      if (t == 0) {
        count += 2;
      } else {
        while (count == 0) changed.wait_until(mutex, now() + std::chrono::milliseconds(1));
        --count;
        taken.fetch_add(1, std::memory_order_relaxed);
      }
      mutex.unlock();
      if (t == 0) changed.notify_one();
      static_cast<void>(taken.load(std::memory_order_relaxed));
    }
    require(ThreadLocal<int, BufferTag>::get() == 1, "each thread has its own thread-local object");
  });
  require(taken.load() == 4, "everything was taken");
}
constexpr Limits kAll{
    .timeout_mode = Timeouts::kChoice, .timeouts = 2, .spurious_wakeups = 1, .stale_reads = 2, .masked_wakeups = false};

Replayed one_execution(Explorer& explorer, const Scenario& of, std::uint64_t seed, double switches = 0.4) {
  // A strategy that records its answers. Exploring stops after one execution, which replay() then reproduces
  // completely.
  class Recorder final : public Strategy {
   public:
    Recorder(double p, std::uint64_t s) : walk_(p, s) {}
    std::string name() const override { return "recorder"; }
    bool begin() override { return walk_.begin(); }
    std::uint32_t choose(const Choice& choice) override {
      answers.push_back(static_cast<std::uint8_t>(walk_.choose(choice)));
      return answers.back();
    }
    DecisionList answers;

   private:
    RandomWalk walk_;
  } recorder(switches, seed);
  explorer.explore(of, recorder, {.executions = 1});
  return explorer.replay(of, recorder.answers);
}

TEST(Replay, AThousandTimesTheSame) {
  Explorer explorer;
  const Scenario of = scenario(bounded_buffer, kAll);
  const Replayed first = one_execution(explorer, of, 7);
  ASSERT_EQ(first.failure.kind, FailureKind::kNone) << first.failure.text;
  for (int i = 0; i < 1000; ++i) {
    const Replayed again = explorer.replay(of, first.decisions);
    ASSERT_EQ(again.trace_hash, first.trace_hash);
    ASSERT_EQ(again.failure.kind, FailureKind::kNone);
  }
}

TEST(Replay, RealThreadsGiveTheSameHashes) {
  Explorer fibers(Backend::kFibers), threads(Backend::kThreads);
  const Scenario of = scenario(bounded_buffer, kAll);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Replayed one = one_execution(fibers, of, seed);
    const Replayed other = threads.replay(of, one.decisions);
    EXPECT_EQ(other.failure.kind, FailureKind::kNone) << other.failure.text;
    EXPECT_EQ(one.trace_hash, other.trace_hash) << "seed " << seed;
    EXPECT_EQ(one.trace, other.trace);
  }
}

TEST(Replay, DifferentDecisionsGiveDifferentHashes) {
  Explorer explorer;
  const Scenario of = scenario(bounded_buffer, kAll);
  EXPECT_NE(one_execution(explorer, of, 1).trace_hash, one_execution(explorer, of, 2).trace_hash);
}

TEST(Replay, AFailureComesBack) {
  const Scenario of = scenario([] {
    Cell<int> cell(0, "cell");
    Atomic<int> turn{0};
    at_once(2, [&](int) {
      if (turn.fetch_add(1) == 1) require(false, "a thread is second");
      cell.get();
    });
  });
  for (const Backend backend : {Backend::kFibers, Backend::kThreads}) {
    const Result result = exhaust(of, Exhaustive::Reduction::kSleepSets, backend);
    ASSERT_EQ(result.failure.kind, FailureKind::kOracle);
    Explorer explorer;
    const Replayed again = explorer.replay(of, result.decisions);
    EXPECT_EQ(again.failure.kind, FailureKind::kOracle);
    EXPECT_EQ(again.trace_hash, result.trace_hash);
    EXPECT_NE(result.trace.find("update"), std::string::npos) << result.trace;
    EXPECT_NE(result.trace.find("replay_test.cpp:"), std::string::npos) << result.trace;
  }
}

TEST(Replay, DecisionsThatDoNotFitAreADivergence) {
  Explorer explorer;
  const Scenario of = scenario(bounded_buffer, kAll);
  DecisionList decisions = one_execution(explorer, of, 3).decisions;
  decisions.push_back(0);
  EXPECT_EQ(explorer.replay(of, decisions).failure.kind, FailureKind::kDivergence);
  decisions.pop_back();
  decisions.pop_back();
  EXPECT_EQ(explorer.replay(of, decisions).failure.kind, FailureKind::kDivergence);
  decisions[0] = 200;
  EXPECT_EQ(explorer.replay(of, decisions).failure.kind, FailureKind::kDivergence);
}

// Running executions twice detects influences that the checker does not control.
TEST(Replay, HiddenStateIsFound) {
  int runs = 0;
  Explorer explorer;
  RandomWalk walk(0.3, 1);
  const Result result = explorer.explore(scenario([&] {
                                           ++runs;
                                           Mutex mutex;
                                           at_once(2, [&](int) {
                                             for (int i = 0; i < runs % 3; ++i) {
                                               mutex.lock();
                                               mutex.unlock();
                                             }
                                           });
                                         }),
                                         walk, {.executions = 1000});
  EXPECT_EQ(result.failure.kind, FailureKind::kDivergence);
}

TEST(DecisionStrings, RoundTrip) {
  DecisionString of{"abc123-dirty", "pool", "no_fence", 0xdeadbeefu, {0, 0, 0, 2, 1, 1, 255}};
  EXPECT_EQ(of.text(), "hc1:abc123-dirty:pool:no_fence:00000000deadbeef:0*3,2,1*2,255");
  const DecisionString back = DecisionString::parse(of.text());
  EXPECT_EQ(back.decisions, of.decisions);
  EXPECT_EQ(back.trace_hash, of.trace_hash);
  EXPECT_EQ(back.scenario, "pool");
  EXPECT_EQ(back.plant, "no_fence");
  of.plant.clear();
  of.decisions.clear();
  EXPECT_EQ(DecisionString::parse(of.text()).plant, "");
  EXPECT_TRUE(DecisionString::parse(of.text()).decisions.empty());
}

TEST(DecisionStrings, MalformedOnesAreRefusedWithOneLine) {
  for (const char* text : {"", "x", "hc1", "hc2:b:s:-:0:0", "hc1:b:s:-:zz:0", "hc1:b:s:-:0:256", "hc1:b:s:-:0:1*",
                           "hc1:b:s:-:0:1,,2", "hc1:b:s:-:0:1,", "hc1:b:s:-:0:1*99999999999999999999",
                           "hc1:b:s:-:0:0*10000001", "hc1:b:s:-:0:-1", "hc1:b::-:0:0", "hc1:b:s:-:0:1:2"}) {
    try {
      DecisionString::parse(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
  }
}

// A handled exception belongs to its thread, even across switches.
TEST(Replay, SwitchesInsideCatchBlocks) {
  const Result result = exhaust([] {
    Atomic<int> count{0};
    at_once(2, [&](int t) {
      try {
        throw t;
      } catch (const int& caught) {
        count.fetch_add(1);
        require(caught == t, "each its own");
        try {
          throw;
        } catch (const int& again) {
          count.fetch_add(1);
          require(again == t, "each its own, thrown again");
        }
      }
    });
  });
  EXPECT_TRUE(result.exhausted && !result.failed()) << result.failure.text;
}

}  // namespace
}  // namespace heddle_check
