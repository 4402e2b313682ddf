// Handlers that run on the user's own threads.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "heddle/completion.hpp"
#include "heddle/stream/executor_ends.hpp"
#include "heddle/stream/handler_runner.hpp"
#include "stream/sim_core.hpp"

namespace heddle {
namespace {

using Names = std::vector<std::string>;

// Keeps its tasks until the test runs or drops them.
class Shelf : public Executor {
 public:
  void execute(std::function<void()> task) override {
    sync::MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  std::deque<std::function<void()>> take() {
    sync::MutexLock lock(mutex_);
    return std::exchange(tasks_, {});
  }
  std::deque<std::function<void()>> wait_for(std::size_t count) {
    eventually([&] {
      sync::MutexLock lock(mutex_);
      return tasks_.size() >= count;
    });
    return take();
  }

 private:
  sync::Mutex mutex_{Rank::kLeaf};
  std::deque<std::function<void()>> tasks_;
};

class Inline : public Executor {
 public:
  void execute(std::function<void()> task) override { task(); }
};

class Thrower : public Executor {
 public:
  explicit Thrower(bool runs_first) : runs_first_(runs_first) {}
  void execute(std::function<void()> task) override {
    if (runs_first_) task();
    throw std::runtime_error("no");
  }

 private:
  const bool runs_first_;
};

TEST(Executors, GetTasksInTheOrderOfTheStream) {
  SimCore sim;
  Log log;
  const auto shelf = std::make_shared<Shelf>();
  for (int i = 0; i < 20; ++i) {
    sim.submit();
    sim.on_complete(log.handler(std::to_string(i)), {"", shelf});
  }
  sim.run_all();
  Names expected;
  for (int i = 0; i < 20; ++i) expected.push_back(std::to_string(i) + " ok");
  auto tasks = shelf->wait_for(20);
  ASSERT_EQ(tasks.size(), 20u);
  EXPECT_EQ(sim.handlers().pending, 20u) << "handed over is not run";
  for (auto& task : tasks) task();
  for (auto& task : tasks) task();  // a second time does nothing
  EXPECT_EQ(log.entries(), expected);
  EXPECT_EQ(sim.handlers().run, 20u);
  EXPECT_EQ(sim.handlers().pending, 0u);
}

TEST(Executors, C20_ATaskMayWait) {
  SimCore sim;
  const auto shelf = std::make_shared<Shelf>();
  std::vector<float> values;
  sim.on_complete(
      [&](const Status&) {
        const Tensor x = full(sim, {4}, 9.0f);
        values = x.to_host();
        sim.synchronize();
      },
      {"", shelf});
  auto tasks = shelf->wait_for(1);
  ASSERT_EQ(tasks.size(), 1u);
  const DeviceRunner runner(sim.device());
  std::thread(tasks.front()).join();
  EXPECT_EQ(values, std::vector<float>(4, 9.0f));
  EXPECT_EQ(sim.handlers().failed, 0u);
}

TEST(Executors, C28_ATaskRecordsOnTheStreamOfItsOwnThread) {
  SimCore sim;
  const auto shelf = std::make_shared<Shelf>();
  StreamId inside{99};
  sim.on_complete([&](const Status&) { inside = sim.stream(); }, {"", shelf});
  auto tasks = shelf->wait_for(1);
  ASSERT_EQ(tasks.size(), 1u);
  StreamId worker{98};
  std::thread([&] {
    worker = sim.stream();
    tasks.front()();
  }).join();
  EXPECT_EQ(inside, worker);
  EXPECT_NE(inside, sim.stream());
}

TEST(Executors, C19_RunInlineOnTheHandlerThreadItMayNotWait) {
  SimCore sim;
  const Tensor x = sim.submit();
  const Event pending = sim.record_event();
  sync::Atomic<int> refused{0};
  std::thread([&] {
    sim.on_complete(
        [&](const Status&) {
          try {
            pending.wait();
          } catch (const WouldBlock& error) {
            EXPECT_TRUE(contains(error.what(), "executor")) << error.what();
            refused.fetch_add(1);
          }
        },
        {"", std::make_shared<Inline>()});
  }).join();
  EXPECT_TRUE(sim.handlers_settle());
  EXPECT_EQ(refused.load(), 1);
  EXPECT_EQ(sim.handlers().run, 1u);
}

TEST(Executors, C30_OneThatThrowsAbandonsTheHandlerOnce) {
  SimCore sim;
  Log log;
  sim.on_complete(log.handler("dropped"), {"", std::make_shared<Thrower>(false)});
  sim.on_complete(log.handler("ran"), {"", std::make_shared<Thrower>(true)});
  sim.on_complete(log.handler("next"));
  EXPECT_TRUE(sim.handlers_settle());
  EXPECT_EQ(log.entries(), (Names{"dropped abandoned", "ran ok", "next ok"}));
  EXPECT_EQ(sim.handlers().abandoned, 1u);
  EXPECT_EQ(sim.handlers().run, 2u);
}

TEST(Executors, C31_ADroppedTaskTellsItsHandlerAndLetsGoOfIt) {
  SimCore sim;
  Log log;
  const auto held = std::make_shared<int>(0);
  const auto shelf = std::make_shared<Shelf>();
  sim.on_complete([held, inner = log.handler("task")](const Status& status) { inner(status); }, {"", shelf});
  {
    const auto dropped = shelf->wait_for(1);
  }
  EXPECT_TRUE(sim.handlers_settle());
  EXPECT_EQ(log.entries(), Names{"task abandoned"});
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Executors, C30_AnExceptionOfATaskIsCountedAndGoesNoFurther) {
  SimCore sim;
  const auto shelf = std::make_shared<Shelf>();
  sim.on_complete([](const Status&) { throw std::runtime_error("oops"); }, {"", shelf});
  auto tasks = shelf->wait_for(1);
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_NO_THROW(tasks.front()());
  EXPECT_EQ(sim.handlers().failed, 1u);
  EXPECT_EQ(sim.handlers().run, 1u);
}

// R01: what protects the late task is that it owns what it touches, not a flag.
TEST(Executors, R01_ATaskMayRunAfterTheRuntimeIsGone) {
  Log log;
  const auto shelf = std::make_shared<Shelf>();
  std::deque<std::function<void()>> tasks;
  {
    SimCore sim;
    sim.on_complete(log.handler("late"), {"", shelf});
    tasks = shelf->wait_for(1);
    const ShutdownReport report = sim.shutdown(milliseconds(20));
    EXPECT_FALSE(report.complete);
    EXPECT_EQ(report.handlers_pending, 1u);
    EXPECT_EQ(report.handlers_abandoned, 0u);
  }
  ASSERT_EQ(tasks.size(), 1u);
  tasks.front()();
  EXPECT_EQ(log.entries(), Names{"late ok"});
}

TEST(Executors, R01_ATaskMayBeDroppedAfterTheRuntimeIsGone) {
  Log log;
  const auto shelf = std::make_shared<Shelf>();
  {
    SimCore sim;
    sim.on_complete(log.handler("late"), {"", shelf});
    shelf->wait_for(1);  // dropped at once
    sim.on_complete(log.handler("later"), {"", shelf});
    EXPECT_TRUE(eventually([&] { return sim.handlers().abandoned == 1; }));
    EXPECT_EQ(sim.shutdown(milliseconds(20)).handlers_pending, 1u);
  }
  shelf->take();
  EXPECT_EQ(log.entries(), (Names{"late abandoned", "later abandoned"}));
}

CoreOptions room_for(std::uint32_t handlers, milliseconds wait = milliseconds(10'000)) {
  CoreOptions options = exactly(1);
  options.limits.handlers_max = handlers;
  options.limits.handler_wait_max = wait;
  return options;
}

// C20: an event loop that is its own executor registers more handlers than the limit before it runs the first.
TEST(Executors, C20_TasksOfAnExecutorTakeNoRoomAmongTheHandlers) {
  SimCore sim(room_for(2), {.auto_run = true});
  const auto loop = std::make_shared<Shelf>();
  int ran = 0;
  std::thread([&] {
    for (int i = 0; i < 50; ++i) {
      const Tensor x = sim.submit();
      sim.on_complete([&](const Status&) { ++ran; }, {"reply", loop});
    }
    sim.synchronize();
    auto tasks = loop->wait_for(50);
    EXPECT_EQ(tasks.size(), 50u);
    EXPECT_EQ(sim.handlers().pending, 50u) << "they are pending all the same";
    for (auto& task : tasks) task();
  }).join();
  EXPECT_EQ(ran, 50);
  EXPECT_EQ(sim.handlers().pending, 0u);
}

// C20: a handler in an executor registers another on the stream whose only place it had itself.
TEST(Executors, C20_AHandlerThatRegistersOnItsOwnStreamDoesNotWaitForItself) {
  SimCore sim(room_for(1), {.auto_run = true});
  const auto shelf = std::make_shared<Shelf>();
  std::atomic<bool> inner{false};
  StreamId first{98}, second{99};
  const auto handler = [&](const Status&) {
    second = sim.stream();
    sim.on_complete([&](const Status&) { inner = true; });
  };
  std::thread([&] {
    first = sim.stream();
    sim.on_complete(handler, {"outer", shelf});
  }).join();
  auto tasks = shelf->wait_for(1);
  ASSERT_EQ(tasks.size(), 1u);
  std::thread(tasks.front()).join();
  EXPECT_EQ(first, second);
  EXPECT_TRUE(eventually([&] { return inner.load(); }));
  EXPECT_TRUE(sim.handlers_settle());
}

// Joins its threads in its destructor.
class Joins : public Executor {
 public:
  explicit Joins(std::atomic<bool>& gone) : gone_(gone) {}
  ~Joins() override {
    for (std::thread& thread : threads_) thread.join();
    gone_ = true;
  }
  void execute(std::function<void()> task) override { threads_.emplace_back(std::move(task)); }

 private:
  std::atomic<bool>& gone_;
  std::vector<std::thread> threads_;
};

// C20: the destructor of an executor that nobody else holds waits for a task, and that for other handlers.
TEST(Executors, C20_AnExecutorThatNobodyKeepsDoesNotHoldUpTheHandlers) {
  std::atomic<bool> gone{false};
  std::atomic<int> ran{0};
  {
    SimCore sim(room_for(2), {.auto_run = true});
    std::thread([&] {
      const auto handler = [&](const Status&) {
        for (int i = 0; i < 6; ++i) sim.on_complete([&](const Status&) { ++ran; });
        EXPECT_TRUE(eventually([&] { return ran.load() == 6; }));
        ++ran;
      };
      sim.on_complete(handler, {"waits for handlers", std::make_shared<Joins>(gone)});
    }).join();
    EXPECT_TRUE(eventually([&] { return ran.load() == 7; }));
    EXPECT_TRUE(sim.shutdown().complete) << "it awaits the destructor";
    EXPECT_TRUE(gone.load());
  }
  EXPECT_EQ(ran.load(), 7);
}

TEST(Executors, ManyThatNobodyKeepsAreAllDestroyed) {
  constexpr int kMany = 40;
  std::vector<std::atomic<bool>> gone(kMany);
  SimCore sim({}, {.auto_run = true});
  for (auto& flag : gone) sim.on_complete([](const Status&) {}, {"", std::make_shared<Joins>(flag)});
  for (auto& flag : gone) EXPECT_TRUE(eventually([&] { return flag.load(); }));
  EXPECT_TRUE(sim.shutdown().complete);
}

// C20: more of them than threads that destroy executors, each of which waits for a handler that comes later.
TEST(Executors, C20_ManyThatNobodyKeepsDoNotHoldUpTheHandlers) {
  constexpr int kMany = 20;
  std::vector<std::atomic<bool>> gone(kMany);
  std::atomic<bool> go{false};
  SimCore sim({}, {.auto_run = true});
  for (auto& flag : gone) {
    sim.on_complete([&](const Status&) { EXPECT_TRUE(eventually([&] { return go.load(); })); },
                    {"", std::make_shared<Joins>(flag)});
  }
  sim.on_complete([&](const Status&) { go = true; });
  EXPECT_TRUE(eventually([&] { return go.load(); }));
  for (auto& flag : gone) EXPECT_TRUE(eventually([&] { return flag.load(); }));
  EXPECT_TRUE(sim.shutdown().complete);
}

// C19: a shutdown awaits the destructor of such an executor, so there it would wait for itself.
TEST(Executors, C19_AShutdownInTheDestructorOfAnExecutorIsRefused) {
  struct Ends final : Inline {
    Ends(SimCore& of, std::atomic<bool>& was_refused) : sim(of), refused(was_refused) {}
    ~Ends() override {
      try {
        sim.shutdown();
      } catch (const WouldBlock&) {
        refused = true;
      }
    }
    SimCore& sim;
    std::atomic<bool>& refused;
  };
  std::atomic<bool> refused{false};
  SimCore sim({}, {.auto_run = true});
  sim.on_complete([](const Status&) {}, {"", std::make_shared<Ends>(sim, refused)});
  EXPECT_TRUE(eventually([&] { return refused.load(); }));
  EXPECT_TRUE(sim.shutdown().complete);
}

}  // namespace
}  // namespace heddle
