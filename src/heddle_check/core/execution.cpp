#include "heddle_check/core/execution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <exception>
#include <utility>

namespace heddle_check {
namespace {

// Objects of static storage may meet several explorers: numbers of executions are the process's.
std::uint32_t next_epoch() noexcept {
  static std::atomic<std::uint32_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// Far from both ends, so that deadlines can be computed.
constexpr TimePoint kStart{std::chrono::hours(1)};

}  // namespace

void ThreadState::reset(const std::string& new_name) {
  name = new_name;
  body = nullptr;
  starter = joiner = kNoThread;
  finished = joined = yields = notified = probed = false;
  condition = mutex = probing = kNoObject;
  deadline = TimePoint::max();
  forced = ForcedWake::kNo;
  held.clear();
  locals.clear();
  knowledge.clear();
  to_release.clear();
  to_acquire.clear();
}

// --- the run ---

void Execution::reset(const Scenario& scenario, Strategy& strategy, bool record) {
  limits_ = &scenario.limits;
  strategy_ = &strategy;
  observed_ = strategy.observes();
  weak_memory_ = limits_->stale_reads != 0;
  tracks_ = weak_memory_ || limits_->races;
  recording_ = record;
  if (failure_.kind != FailureKind::kNone) {
    // The threads of a failed execution were abandoned where they stood: what they own must not be destroyed.
    for (ThreadState& thread : threads_) {
      if (thread.own_body) static_cast<void>(new std::function<void()>(std::move(thread.own_body)));
      thread.own_body = nullptr;
    }
    failure_ = {};
  }
  enabled_ = enabled_before_ = waiting_ = 0;
  performer_ = 0;
  performer_yields_ = false;
  fairness_.reset();
  left_ = {limits_->timeouts, limits_->spurious_wakeups, limits_->stale_reads, limits_->weak_failures,
           limits_->allocation_failures};
  now_ = kStart;
  objects_.begin(next_epoch());
  histories_.begin();
  sequential_fences_.clear();
  points_ = 0;
  hash_ = 0;
  decisions_.clear();
  trace_.clear();
  threads_count_ = 1;
  running_ = 0;
  next_[0] = {};
  threads_[0].reset("main");
  threads_[0].body = &scenario.body;
  threads_[0].knowledge.hb[0] = threads_[0].knowledge.view[0] = 1;
}

void Execution::run(const Scenario& scenario, Strategy& strategy, bool record) {
  reset(scenario, strategy, record);
  current_ = this;
  carriers_.prepare(0, &Execution::enter, this);
  carriers_.switch_to(Carriers::kRoot, 0);
  current_ = nullptr;
}

void Execution::enter(void* execution, unsigned party) {
  Execution& self = *static_cast<Execution*>(execution);
  current_ = &self;
  try {
    (*self.threads_[party].body)();
  } catch (const std::exception& error) {
    self.fail(FailureKind::kException, fmt::format("an exception left a thread: {}", error.what()), Site::current());
  } catch (...) {
    self.fail(FailureKind::kException, "an exception of unknown type left a thread", Site::current());
  }
  self.end_thread();
}

// In reverse order; a destructor may make new ones, and may use those without a destructor to the end.
void Execution::destroy_locals(ThreadState& state) {
  while (true) {
    const auto last = std::find_if(state.locals.rbegin(), state.locals.rend(),
                                   [](const LocalObject& local) { return !local.trivial; });
    if (last == state.locals.rend()) break;
    const LocalObject local = *last;
    state.locals.erase(std::next(last).base());
    local.destroy(local.object);
  }
  for (const LocalObject& local : state.locals) local.destroy(local.object);
  state.locals.clear();
}

void Execution::end_thread() {
  ThreadState& state = self();
  destroy_locals(state);
  state.own_body = nullptr;
  if (!state.held.empty()) {
    fail(FailureKind::kMisuse, fmt::format("thread {} ends while it holds a lock", state.name), state.held[0].site);
  }
  enabled_ &= ~bit(running_);
  state.finished = true;
  const ThreadId ended = running_;
  unsigned next = Carriers::kRoot;
  if (state.starter != kNoThread) {
    next = std::exchange(state.starter, kNoThread);
  } else if (state.joiner != kNoThread) {
    next = state.joiner;
  } else if (ended != 0) {
    next = decide();
  } else {
    for (ThreadId i = 1; i < threads_count_; ++i) {
      if (!threads_[i].joined) {
        fail(FailureKind::kLeakedThread, fmt::format("thread {} was not joined", threads_[i].name), Site::current());
      }
    }
  }
  if (next != Carriers::kRoot) running_ = next;
  carriers_.exit_to(ended, next);
}

ThreadId Execution::spawn(std::string name, std::function<void()> body) {
  if (threads_count_ == kMaxThreads) {
    fail(FailureKind::kMisuse, fmt::format("more than {} threads in one execution", kMaxThreads), Site::current());
  }
  const ThreadId id = threads_count_++;
  ThreadState& state = threads_[id];
  state.reset(name);
  next_[id] = next_[running_] = {};
  state.own_body = std::move(body);
  state.body = &state.own_body;
  state.knowledge = self().knowledge;
  state.knowledge.hb[id] = state.knowledge.view[id] = 1;
  tick();
  state.starter = running_;
  carriers_.prepare(id, &Execution::enter, this);
  pass_to(id);
  return id;
}

void Execution::join(ThreadId target, Site site) {
  ThreadState& other = threads_[target];
  if (!other.finished) {
    other.joiner = running_;
    next_[running_] = {OperationKind::kJoin, kNoObject, site};
    enabled_ &= ~bit(running_);
    if (self().starter != kNoThread) {
      pass_to(std::exchange(self().starter, kNoThread));
    } else if (const ThreadId next = decide(); next != running_) {
      pass_to(next);
    }
  }
  other.joined = true;
  acquire(other.knowledge);
}

// --- decisions ---

void Execution::pick() {
  ThreadState& state = self();
  if (state.starter != kNoThread) [[unlikely]] {
    pass_to(std::exchange(state.starter, kNoThread));
    return;
  }
  const ThreadId next = decide();
  if (next != running_) pass_to(next);
}

ThreadId Execution::decide() {
  if (++points_ > limits_->points_max) [[unlikely]] {
    fail(FailureKind::kLivelock, fmt::format("no end within {} operations", limits_->points_max), next_[running_].site);
  }
  ThreadMask options = enabled_;
  if (fairness_.active()) [[unlikely]] {
    fairness_.after(performer_, performer_yields_, enabled_before_, enabled_, threads_count_);
    options = fairness_.filter(options);
  }
  if (waiting_ != 0) options |= wakeable();
  if (options == 0) [[unlikely]]
    options = at_quiescence();
  const ThreadId next = std::has_single_bit(options) ? static_cast<ThreadId>(std::countr_zero(options)) : ask(options);
  const Operation& operation = next_[next];
  add_to_hash(next | static_cast<std::uint64_t>(operation.kind) << 8 |
              static_cast<std::uint64_t>(operation.object) << 16);
  if (observed_) strategy_->observe(next, {next_.data(), enabled_, threads_count_, points_});
  if (recording_) {
    const bool preempts = next != running_ && (options & bit(running_)) != 0 && !self().yields;
    trace_.add({next, operation, objects_.label(operation.object), {}, preempts});
  }
  enabled_before_ = enabled_;
  performer_ = next;
  performer_yields_ = threads_[next].yields;
  return next;
}

ThreadId Execution::ask(ThreadMask options) {
  std::array<ThreadId, kMaxThreads> threads;  // NOLINT: filled below
  std::uint32_t count = 0;
  const ThreadMask own = options & bit(running_);
  const bool may_stay = own != 0 && !self().yields;
  if (may_stay) threads[count++] = running_;
  for (ThreadMask rest = options & ~bit(running_); rest != 0; rest &= rest - 1) {
    threads[count++] = static_cast<ThreadId>(std::countr_zero(rest));
  }
  if (own != 0 && !may_stay) threads[count++] = running_;
  Choice choice;
  choice.kind = ChoiceKind::kThread;
  choice.options = count;
  choice.threads = threads.data();
  choice.running = running_;
  choice.may_stay = may_stay;
  choice.view = {next_.data(), options, threads_count_, points_};
  const std::uint32_t answer = strategy_->choose(choice);
  if (answer >= count) {
    fail(FailureKind::kDivergence,
         fmt::format("decision {} is {}, but only {} threads can go on", decisions_.size(), answer, count),
         next_[running_].site);
  }
  decisions_.push_back(static_cast<std::uint8_t>(answer));
  return threads[answer];
}

std::uint32_t Execution::choose(ChoiceKind kind, std::uint32_t options) {
  if (options < 2) return 0;
  Choice choice;
  choice.kind = kind;
  choice.options = options;
  choice.running = running_;
  choice.view = {next_.data(), enabled_, threads_count_, points_};
  const std::uint32_t answer = strategy_->choose(choice);
  if (answer >= options) {
    fail(FailureKind::kDivergence,
         fmt::format("decision {} is {}, but the {} question has {} answers", decisions_.size(), answer, name_of(kind),
                     options),
         next_[running_].site);
  }
  decisions_.push_back(static_cast<std::uint8_t>(answer));
  add_to_hash(answer | static_cast<std::uint64_t>(kind) << 8 | std::uint64_t{1} << 63);
  if (recording_) note(fmt::format("{} {} of {}", name_of(kind), answer, options));
  return answer;
}

void Execution::yield_point(OperationKind kind, Site site) {
  if (!fairness_.active()) fairness_.activate();
  ThreadState& state = self();
  state.yields = true;
  point(kind, kAllObjects, site);
  state.yields = false;
}

void Execution::wait_point(ObjectId condition, Site site) {
  ThreadState& state = self();
  waiting_ |= bit(running_);
  // A wake-up by time moves the clock, which everybody may read.
  const ObjectId object = state.deadline == TimePoint::max() ? condition : kAllObjects;
  point(OperationKind::kWake, object, site, false);
}

ThreadMask Execution::wakeable() const noexcept {
  if (left_.spurious_wakeups != 0) return waiting_;
  const bool by_choice = limits_->timeout_mode == Timeouts::kChoice && left_.timeouts != 0;
  ThreadMask threads = 0;
  for (ThreadMask rest = waiting_; rest != 0; rest &= rest - 1) {
    const auto thread = static_cast<ThreadId>(std::countr_zero(rest));
    const TimePoint deadline = threads_[thread].deadline;
    if (deadline <= now_ || (by_choice && deadline != TimePoint::max())) threads |= bit(thread);
  }
  return threads;
}

// Nobody can go on by itself. First every waiter with a deadline is woken once as by a spurious wake-up: one that does
// not wait again would have gone on long ago, had it been notified. Then the earliest deadline passes.
ThreadMask Execution::at_quiescence() {
  ThreadId first = kNoThread;
  for (ThreadMask rest = waiting_; rest != 0; rest &= rest - 1) {
    const auto thread = static_cast<ThreadId>(std::countr_zero(rest));
    ThreadState& state = threads_[thread];
    if (state.deadline == TimePoint::max()) continue;
    if (limits_->masked_wakeups && !state.probed) {
      state.forced = ForcedWake::kProbe;
      return bit(thread);
    }
    if (first == kNoThread || state.deadline < threads_[first].deadline) first = thread;
  }
  if (first == kNoThread) {
    fail(waiting_ != 0 ? FailureKind::kLostWakeup : FailureKind::kDeadlock, "no thread can go on",
         next_[running_].site);
  }
  for (ThreadState& state : threads_) state.probed = false;
  threads_[first].forced = ForcedWake::kTimeout;
  return bit(first);
}

// --- objects, knowledge ---

Object& Execution::use(ObjectRef& ref, ObjectType type, const char* name, Site site) {
  const bool known = objects_.knows(ref);
  Object* object = objects_.find(ref, type);
  if (object == nullptr || object->destroyed) [[unlikely]] {
    fail(FailureKind::kUseAfterDestroy, fmt::format("{} is used after it was destroyed", objects_.label(ref.id)), site);
  }
  if (!known) object->name = name;
  object->touched |= bit(running_);
  return *object;
}

void Execution::destroy(ObjectRef& ref, Site site) {
  if (!objects_.knows(ref) || objects_[ref.id].destroyed) return;
  const ObjectId id = ref.id;
  const auto in_use = [&]() -> const char* {
    const Object& object = objects_[id];
    if (object.waiting != 0) return "waits on it";
    if (object.owner != kNoThread && object.type != ObjectType::kCell) return "holds it";
    if (object.readers != 0) return "holds it";
    for (ThreadId i = 0; i < threads_count_; ++i) {
      const Operation& next = next_[i];
      if (i != running_ && !threads_[i].finished && next.object == id) return "is about to use it";
    }
    return nullptr;
  };
  if ((objects_[id].touched & ~bit(running_)) != 0) point(OperationKind::kDestroy, id, site);
  if (const char* how = in_use(); how != nullptr) {
    fail(FailureKind::kUseAfterDestroy, fmt::format("{} is destroyed while a thread {}", objects_.label(id), how),
         site);
  }
  objects_[id].destroyed = true;
}

void Execution::release(Knowledge& into) noexcept {
  into.join(self().knowledge, threads_count_, weak_memory_);
  tick();
}

void Execution::tick() noexcept {
  Knowledge& own = self().knowledge;
  own.view[running_] = ++own.hb[running_];
}

// --- failures, trace ---

void Execution::fail(FailureKind kind, std::string text, Site site) {
  failure_ = {kind, fmt::format("{} (thread {}, {}:{})", text, threads_[running_].name, site.file_name(), site.line()),
              who_waits()};
  carriers_.switch_to(running_, Carriers::kRoot);
  std::terminate();  // an abandoned thread never goes on
}

std::string Execution::who_waits() const {
  std::string text;
  for (ThreadId i = 0; i < threads_count_; ++i) {
    const ThreadState& state = threads_[i];
    if (state.finished) continue;
    const Operation& next = next_[i];
    text +=
        fmt::format("thread {}: {}{} {} at {}:{}", state.name, i == running_ ? "performs or comes from " : "before ",
                    name_of(next.kind), objects_.label(next.object), next.site.file_name(), next.site.line());
    if (next.object >= kFirstObject && next.object < objects_.size()) {
      const Object& object = objects_[next.object];
      if (object.owner != kNoThread && object.owner != i && object.type != ObjectType::kCell) {
        text += fmt::format(", held by {} since {}:{}", threads_[object.owner].name, object.site.file_name(),
                            object.site.line());
      }
    }
    for (const HeldLock& lock : state.held) {
      text += fmt::format("; holds {} locked at {}:{}", objects_.label(lock.object), lock.site.file_name(),
                          lock.site.line());
    }
    text += '\n';
  }
  return text;
}

void Execution::note(std::string text) { trace_.note(running_, text); }

std::string Execution::printed_trace() const {
  std::vector<std::string> names;
  for (ThreadId i = 0; i < threads_count_; ++i) names.push_back(threads_[i].name);
  return trace_.print(names);
}

void fail(FailureKind kind, std::string text, Site site) {
  if (Execution* execution = Execution::current()) execution->fail(kind, std::move(text), site);
  fmt::print(stderr, "heddle-check: {}: {} ({}:{})\n", name_of(kind), text, site.file_name(), site.line());
  std::abort();
}

}  // namespace heddle_check
