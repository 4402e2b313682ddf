// One random program over the simulated device: what several threads do with streams, events, handlers and leases,
// while lists are delayed, fail, or the device is lost, and somebody shuts down. What must hold whatever happened is
// checked on the way and at the end.
//
//   RandomProgram(seed).run();   // the wrongs, one a line; empty: none
//
// The seed decides what each thread does. With an even seed the threads take turns, in an order that the seed decides
// too; with an odd one they run at once. Thread safety: run() by one thread; programs may run beside one another.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {

class RandomProgram {
 public:
  explicit RandomProgram(std::uint64_t seed)
      : seed_(seed), dice_(seed), sim_(options(seed, dice_), sim_options(dice_)) {}
  std::string run();

 private:
  static constexpr int kThreads = 3;
  enum class Where : unsigned char { kHandlerThread, kInline, kDropped, kThrown, kShelved };

  // A handler that was registered, and what it was told.
  struct Told {
    int times = 0;
    ErrorKind kind = ErrorKind::kOk;
    Event point;  // where it was registered
    Where where = Where::kHandlerThread;
    StreamId stream;
    std::uint64_t order = 0;  // on its stream
  };
  // A result that a thread hands to the others.
  struct Published {
    Tensor tensor;
    Event event;
    float value = 0;
  };
  struct Actor {
    std::mt19937_64 dice;
    std::vector<Lease> leases;
    std::optional<Published> mine;
    std::map<std::uint32_t, std::uint64_t> seen;  // completed tickets, by stream
  };
  class ProgramExecutor;

  static bool in_turns(std::uint64_t seed) { return seed % 2 == 0; }
  static CoreOptions options(std::uint64_t seed, std::mt19937_64& dice) {
    CoreOptions options = exactly(2 + dice() % 4, ExhaustionPolicy::kFail);
    options.limits.lease_wait_max = milliseconds(1);
    options.limits.committed_lists_max = in_turns(seed) ? 1000 : 2 + dice() % 8;  // nobody steps while a turn waits
    options.limits.list_commands_max = 1 + dice() % 6;
    options.memory.limit = 8 << 20;
    return options;
  }
  static SimOptions sim_options(std::mt19937_64& dice) { return {.auto_run = false, .announces = dice() % 16 != 0}; }
  static std::uint64_t below(std::mt19937_64& dice, std::uint64_t end) { return dice() % end; }

  void wrong(const std::string& what) {
    sync::MutexLock lock(mutex_);
    wrongs_ += what + "\n";
  }
  void act(Actor& actor);
  void do_something(Actor& actor);
  void work(int index);
  void take_turns();
  void look_at_tickets(Actor& actor);
  void read_back(Actor& actor, const Tensor& tensor, float value);
  void use_others(Actor& actor);
  void register_handler(std::mt19937_64& dice, int depth);
  void told(std::size_t id, const Status& status);
  void in_handler(std::uint64_t what, std::uint64_t seed, int depth);
  void move_lease(Actor& actor);
  void break_something(std::mt19937_64& dice);
  void shut_down(std::mt19937_64& dice);
  void make_room() {
    while (!sim_.try_commit()) sim_.device().step();
  }
  void finish();
  void check_handlers(const HandlerStatistics& now);

  const std::uint64_t seed_;
  std::mt19937_64 dice_;
  sync::Mutex mutex_{Rank::kLeaf};
  std::string wrongs_;
  std::vector<Told> told_;
  std::map<std::uint32_t, std::uint64_t> next_order_, last_told_;  // by stream
  std::vector<std::function<void()>> shelf_;
  std::vector<Published> published_;
  std::vector<Lease> adrift_;  // detached, for whoever takes them
  sync::Atomic<bool> faults_{false}, closing_{false};
  sync::Atomic<int> turn_{-1}, left_{0};
  std::optional<ShutdownReport> report_;
  SimCore sim_;
};

class RandomProgram::ProgramExecutor : public Executor {
 public:
  ProgramExecutor(RandomProgram& program, Where where) : program_(program), where_(where) {}
  void execute(std::function<void()> task) override {
    if (where_ == Where::kInline) task();
    if (where_ == Where::kThrown) throw std::runtime_error("the executor refuses");
    if (where_ != Where::kShelved) return;
    sync::MutexLock lock(program_.mutex_);
    program_.shelf_.push_back(std::move(task));
  }

 private:
  RandomProgram& program_;
  const Where where_;
};

inline void RandomProgram::act(Actor& actor) {
  try {
    do_something(actor);
    look_at_tickets(actor);
  } catch (const NotCommitted&) {
  } catch (const PoolExhausted&) {
  } catch (const InvalidArgument& error) {
    wrong(error.what());
  } catch (const Closed&) {
    if (!closing_.load()) wrong("Closed before anybody shut down");
  } catch (const Error& error) {
    const bool failure = error.kind() == ErrorKind::kDeviceError || error.kind() == ErrorKind::kDeviceLost;
    if (!failure || !faults_.load()) wrong(error.what());
    try {
      make_room();
      const DeviceRunner runner(sim_.device());
      sim_.synchronize();  // collects, so that the stream goes on
    } catch (const Error&) {
    }
  }
}

inline void RandomProgram::work(int index) {
  Actor actor{
      .dice = std::mt19937_64(seed_ * 64 + static_cast<std::uint64_t>(index)), .leases = {}, .mine = {}, .seen = {}};
  const bool turns = in_turns(seed_);
  const int actions = 6 + static_cast<int>(below(actor.dice, 20));
  for (int i = 0; i < actions; ++i) {
    while (turns && turn_.load() != index) std::this_thread::yield();
    act(actor);
    if (turns) turn_.store(-1);
  }
  if (turns) {
    while (turn_.load() != index) std::this_thread::yield();
  }
  actor.leases.clear();
  left_.fetch_sub(1 << index);
  turn_.store(-1);
}

inline void RandomProgram::take_turns() {
  while (left_.load() != 0) {
    const int index = static_cast<int>(below(dice_, kThreads));
    if ((left_.load() >> index & 1) == 0) continue;
    turn_.store(index);
    while (turn_.load() == index) std::this_thread::yield();
  }
}

inline std::string RandomProgram::run() {
  left_.store((1 << kThreads) - 1);
  std::vector<std::thread> threads;
  for (int index = 0; index < kThreads; ++index) threads.emplace_back([this, index] { work(index); });
  std::optional<DeviceRunner> runner;
  if (in_turns(seed_)) {
    take_turns();
  } else {
    runner.emplace(sim_.device());
  }
  for (auto& thread : threads) thread.join();
  runner.reset();
  finish();
  return wrongs_;
}

inline void RandomProgram::finish() {
  shut_down(dice_);
  const HandlerStatistics at_end = sim_.handlers();
  if (at_end.pending != shelf_.size()) wrong("after the shutdown somebody is pending whom no executor has");
  if (report_->handlers_run + report_->handlers_abandoned + report_->handlers_pending != at_end.registered) {
    wrong("the report's handlers are not in balance");
  }
  std::uint64_t issued = 0;
  for (Lane* lane : sim_.pool()->existing_lanes()) issued += lane->issued().value;
  // A thread that was inside an operation at the deadline may have finished recording it since.
  const std::uint64_t reported = report_->completed + report_->abandoned;
  if (report_->complete ? reported != issued : reported > issued) wrong("the report's commands are not those issued");
  if (report_->complete && report_->abandoned != 0) wrong("complete, and yet something was abandoned");
  if (report_->failed != 0 && !faults_.load()) wrong("something failed, and nobody broke it");
  for (const auto& task : shelf_) task();
  published_.clear();
  adrift_.clear();
  check_handlers(sim_.handlers());
}

inline void RandomProgram::check_handlers(const HandlerStatistics& now) {
  std::uint64_t registered = 0;
  std::uint64_t abandoned = 0;
  for (std::size_t id = 0; id < told_.size(); ++id) {
    const Told& handler = told_[id];
    if (handler.times == -1) continue;
    ++registered;
    const std::string name = "handler " + std::to_string(id);
    if (handler.times != 1) wrong(name + " was told " + std::to_string(handler.times) + " times");
    if (handler.kind == ErrorKind::kAbandoned) {
      ++abandoned;
      const bool dropped = handler.where == Where::kDropped || handler.where == Where::kThrown;
      if (report_->complete && !dropped) wrong(name + " was abandoned although everything ended in time");
    } else if (handler.kind != ErrorKind::kOk && !faults_.load()) {
      wrong(name + " was told an error, and nobody broke anything");
    }
  }
  if (now.registered != registered) wrong("registered: another number than was registered");
  if (now.abandoned != abandoned) wrong("abandoned: another number than was told so");
  if (now.run != registered - abandoned) wrong("run: another number than was told");
  if (now.pending != 0) wrong("pending: somebody was forgotten");
}

}  // namespace heddle

#include "stream/random_program_actions.hpp"
