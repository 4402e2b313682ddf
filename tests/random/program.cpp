#include "random/program.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "random/actor.hpp"

namespace heddle::programs {
namespace {

// The order of steps, if threads take turns.
class Turns {
 public:
  Turns(const Plan& plan) : active_(plan.in_turns), dice_(plan.seed, 3'000'000, 0) {
    for (int i = 0; i < plan.threads; ++i) waiting_.push_back(i);
    choose();
  }
  void take(int thread) {
    std::unique_lock lock(mutex_);
    while (active_ && turn_ != thread) changed_.wait(lock);
  }
  void give() {
    std::lock_guard lock(mutex_);
    choose();
    changed_.notify_all();
  }
  // REQUIRES: it is this thread's turn.
  void leave(int thread) {
    std::lock_guard lock(mutex_);
    std::erase(waiting_, thread);
    choose();
    changed_.notify_all();
  }

 private:
  void choose() { turn_ = waiting_.empty() ? -1 : waiting_[dice_.below(waiting_.size())]; }

  const bool active_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> waiting_;
  int turn_ = -1;
  Dice dice_;
};

class Program {
 public:
  explicit Program(const Plan& plan) : plan_(plan), turns_(plan), world_(std::make_unique<World>(plan)) {}

  std::string run() {
    if (plan_.cut.tells) fmt::print(stderr, "{}\n", plan_.text());
    std::vector<std::thread> threads;
    for (int index = 0; index < plan_.threads; ++index) threads.emplace_back([this, index] { live(index); });
    for (std::thread& thread : threads) thread.join();
    finish();
    std::string wrongs = world_->wrongs();
    if (kept_) {
      // Work of this program may still run: its world lives as long as the process.
      static std::mutex mutex;
      static auto* const worlds = new std::vector<std::unique_ptr<World>>;
      std::lock_guard lock(mutex);
      worlds->push_back(std::move(world_));
    }
    return wrongs;
  }

 private:
  void steps(Actor& actor, int index, int from, int to) {
    for (int step = std::max(from, plan_.cut.from); step < to; ++step) {
      turns_.take(index);
      actor.step(step);
      if (step + 1 == to) actor.all_unsure();
      turns_.give();
    }
  }

  void live(int index) {
    Dice dice(plan_.seed, static_cast<std::uint64_t>(index), 4'000'000);
    Actor actor(*world_, index);
    const bool moves = dice.one_in(3);
    const int second = moves ? static_cast<int>(dice.below(40)) : 0;
    if (moves && second > plan_.cut.from && second < plan_.steps) {
      std::thread([&] { steps(actor, index, 0, second); }).join();
      turns_.take(index);
      actor.end_life();
      actor.begin_life();
      turns_.give();
      steps(actor, index, second, plan_.steps);
    } else {
      steps(actor, index, 0, plan_.steps);
    }
    turns_.take(index);
    actor.leave();
    turns_.leave(index);
  }

  void finish() {
    Dice dice(plan_.seed, 5'000'000, 0);
    if (dice.one_in(2)) {
      for (int index = 0; index < plan_.threads; ++index) {
        while (world_->loop(static_cast<std::size_t>(index)).run_one()) {
        }
      }
    }
    if (dice.one_in(2)) world_->drop_everything();
    std::vector<ShutdownReport> reports;
    for (std::size_t runtime = 0; runtime < world_->runtimes(); ++runtime) {
      const auto deadline = std::chrono::milliseconds(plan_.hurried ? dice.below(4) : 20'000);
      reports.push_back(world_->shut_down(runtime, deadline));
      check(reports.back());
    }
    world_->run_leftover_tasks();
    world_->drop_everything();
    for (std::size_t runtime = 0; runtime < world_->runtimes(); ++runtime) {
      settle(runtime);
      kept_ = kept_ || reports[runtime].bytes_kept != 0;
    }
    world_->run_leftover_tasks();
    world_->check_handlers(reports);
    for (std::size_t runtime = 0; runtime < world_->runtimes(); ++runtime) {
      if (reports[runtime].bytes_kept == 0 && !kept_) check_memory(runtime);
    }
  }

  void check(const ShutdownReport& report) {
    if (plan_.hurried) return;
    // Handlers in a loop or on the shelf have yet to run.
    if (!report.complete && (report.handlers_pending == 0 || report.bytes_kept != 0)) {
      world_->wrong("the shutdown is not complete: " + report.text());
    }
    if (report.abandoned != 0) world_->wrong("the shutdown abandoned work: " + report.text());
    if (report.failed != 0 && !plan_.fails) world_->wrong("nothing fails, and yet: " + report.text());
  }

  // After a hurried shutdown, handlers may still arrive.
  void settle(std::size_t runtime) {
    for (int i = 0; i < 20'000 && world_->runtime(runtime).handler_statistics().pending != 0; ++i) {
      world_->run_leftover_tasks();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void check_memory(std::size_t runtime) {
    const MemoryStatistics end = world_->runtime(runtime).memory_statistics();
    if (end.live_blocks != 0 || end.live != 0 || end.rounded != 0 || end.pending != 0) {
      world_->wrong(fmt::format("at the end {} blocks are live, {} bytes, {} rounded, {} pending", end.live_blocks,
                                end.live, end.rounded, end.pending));
    }
    if (end.cached != end.reserved) {
      world_->wrong(fmt::format("at the end {} bytes are reserved, {} free", end.reserved, end.cached));
    }
    world_->runtime(runtime).release_cached();
    const std::size_t reserved = world_->runtime(runtime).memory_statistics().reserved;
    if (reserved != 0) world_->wrong(fmt::format("{} bytes stay reserved after release_cached()", reserved));
    world_->check_externals(runtime);
  }

  const Plan& plan_;
  Turns turns_;
  std::unique_ptr<World> world_;
  bool kept_ = false;
};

}  // namespace

std::string run_program(const Plan& plan) { return Program(plan).run(); }

}  // namespace heddle::programs
