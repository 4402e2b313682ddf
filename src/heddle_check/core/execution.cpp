#include "heddle_check/core/execution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <utility>

#include "heddle_check/core/sanitizer.hpp"

namespace heddle_check {
namespace {

// Objects in static storage may meet several explorers, so execution numbers are unique per process.
std::uint32_t next_epoch() noexcept {
  static std::atomic<std::uint32_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// A failed execution abandons its threads where they stood: what they own is kept, not destroyed.
void abandon(ThreadState& thread) {
  struct Abandoned {
    std::function<void()> body;
    std::vector<LocalObject> locals;
  };
  static auto& all = *new std::vector<Abandoned>;  // reachable, so that leak checkers do not report it
  if (thread.own_body || !thread.locals.empty()) all.push_back({std::move(thread.own_body), thread.locals});
  thread.own_body = nullptr;
  thread.locals.clear();
}

// Far from both ends of the range, so that deadlines can be computed.
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

Execution::~Execution() {
  if (failure_.kind != FailureKind::kNone) std::for_each(threads_.begin(), threads_.end(), abandon);
}

void Execution::reset(const Scenario& scenario, Strategy& strategy, bool record) {
  limits_ = &scenario.limits;
  strategy_ = &strategy;
  observed_ = strategy.observes();
  weak_memory_ = limits_->stale_reads != 0;
  tracks_ = weak_memory_ || limits_->races;
  recording_ = record;
  if (failure_.kind != FailureKind::kNone) {
    for (ThreadState& thread : threads_) abandon(thread);
    failure_ = {};
  }
  enabled_ = enabled_before_ = waiting_ = 0;
  performer_ = 0;
  performer_yields_ = false;
  fairness_.reset();
  left_ = {limits_->timeouts,       limits_->spurious_wakeups,    limits_->stale_reads,
           limits_->weak_failures,  limits_->allocation_failures, limits_->host_memory_failures,
           limits_->thread_failures};
  now_ = kStart;
  objects_.begin(next_epoch());
  histories_.begin();
  buffers_.begin(limits_->store_buffer);
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
  if (sanitizer::take_report() && failure_.kind == FailureKind::kNone) {
    failure_.kind = FailureKind::kRace;
    failure_.text = "threads access plain data without order between them; see ThreadSanitizer's report";
  }
}

void Execution::enter(void* execution, unsigned party) {
  Execution& self = *static_cast<Execution*>(execution);
  current_ = &self;
  sanitizer::acquire_thread(static_cast<ThreadId>(party));
  try {
    (*self.threads_[party].body)();
  } catch (const std::exception& error) {
    self.fail(FailureKind::kException, fmt::format("an exception left a thread: {}", error.what()), Site::current());
  } catch (...) {
    self.fail(FailureKind::kException, "an exception of unknown type left a thread", Site::current());
  }
  self.end_thread();
}

// In reverse order. A destructor may make new objects, and may use trivially destructible ones to the end.
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
  sanitizer::release_thread(running_);
  const ThreadId ended = running_;
  const unsigned next = leave_to();
  carriers_.exit_to(ended, next);
}

unsigned Execution::leave_to() {
  const sanitizer::LookAway look_away;
  ThreadState& state = self();
  if (running_ != 0) drain(Site::current());
  if (!state.held.empty()) {
    fail(FailureKind::kMisuse, fmt::format("thread {} ends while it holds a lock", state.name), state.held[0].site);
  }
  enabled_ &= ~bit(running_);
  state.finished = true;
  unsigned next = Carriers::kRoot;
  if (state.starter != kNoThread) {
    next = std::exchange(state.starter, kNoThread);
  } else if (state.joiner != kNoThread) {
    next = state.joiner;
  } else if (running_ != 0) {
    next = decide();
  } else {
    for (ThreadId i = 1; i < threads_count_; ++i) {
      if (!threads_[i].joined) {
        fail(FailureKind::kLeakedThread, fmt::format("thread {} was not joined", threads_[i].name), Site::current());
      }
    }
  }
  if (next != Carriers::kRoot) running_ = next;
  return next;
}

ThreadId Execution::add_thread(const std::string& name) {
  if (threads_count_ == kMaxThreads) {
    fail(FailureKind::kMisuse, fmt::format("more than {} threads in one execution", kMaxThreads), Site::current());
  }
  threads_[threads_count_].reset(name);
  next_[threads_count_] = {};
  return threads_count_++;
}

ThreadId Execution::spawn(std::string name, std::function<void()> body, Site site) {
  drain(site);  // everything done before a thread starts is visible to it
  const ThreadId id = add_thread(name);
  ThreadState& state = threads_[id];
  next_[running_] = {};
  state.own_body = std::move(body);
  state.body = &state.own_body;
  state.knowledge = self().knowledge;
  state.knowledge.hb[id] = state.knowledge.view[id] = 1;
  tick();
  state.starter = running_;
  sanitizer::release_thread(id);
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
  sanitizer::acquire_thread(target);
  acquire(other.knowledge);
}

// --- objects, knowledge ---

Object& Execution::use(ObjectRef& ref, ObjectType type, const char* name, Site site) {
  const bool known = objects_.knows(ref);
  Object* object = objects_.find(ref, type);
  if (object == nullptr || object->destroyed) [[unlikely]] {
    fail(FailureKind::kUseAfterDestroy, fmt::format("a {} is used after it was destroyed", name_of(type)), site);
  }
  if (!known) object->name = name;
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
    if (buffers_.forget(running_, id)) return "has a store to it that is not visible yet";
    for (ThreadId i = 0; i < threads_count_; ++i) {
      const Operation& next = next_[i];
      if (i != running_ && !threads_[i].finished && next.object == id) return "is about to use it";
    }
    return nullptr;
  };
  if (const char* how = in_use(); how != nullptr) {
    fail(FailureKind::kUseAfterDestroy, fmt::format("{} is destroyed while a thread {}", objects_.label(id), how),
         site);
  }
  objects_.note_destroyed(ref);
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
  {
    const std::string taken = std::move(text);  // this frame never ends, so nothing may stay in it
    failure_.kind = kind;
    failure_.text = fmt::format("{} (thread {}, {}:{})", taken, threads_[running_].name, site.file_name(), site.line());
    failure_.details = who_waits();
  }
  carriers_.switch_to(running_, Carriers::kRoot);
  std::terminate();  // an abandoned thread never continues
}

std::string Execution::who_waits() const {
  std::string text;
  for (ThreadId i = 0; i < threads_count_; ++i) {
    const ThreadState& state = threads_[i];
    if (state.finished) continue;
    const Operation& next = next_[i];
    text += fmt::format("thread {}: {}{} {} at {}:{}", state.name, i == running_ ? "at " : "before ",
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
