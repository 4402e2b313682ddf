// Course: the differences between an execution and the plain one, in terms that survive a change.
//
// A decision string is positional: without one decision, the rest means something else. A course instead names each
// deviation from the plain course (threads continue while they can, every other answer is 0) by its thread and the
// number of that thread's operations before it. So a deviation can be left out, and the others still find their place.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "heddle_check/strategy.hpp"

namespace heddle_check {

// A question: the `nth` of its kind that the thread asks after this many visible operations of its own.
struct Moment {
  ThreadId thread = 0;
  std::uint32_t operations = 0;
  ChoiceKind kind = ChoiceKind::kThread;
  std::uint32_t nth = 0;
  auto operator<=>(const Moment&) const = default;
};

struct Deviation {
  Moment at;
  std::uint32_t answer = 0;  // kThread: the thread that continues; otherwise the answer itself, above 0
  std::string text;          // human-readable
  bool preempts() const noexcept { return at.kind == ChoiceKind::kThread; }
};

struct Course {
  std::vector<Deviation> deviations;  // in order
  std::vector<ThreadId> performers;   // of each operation
  std::uint32_t preemptions() const noexcept;
};

// Counts the moments of the running execution.
class Moments {
 public:
  void begin();
  Moment next(const Choice& choice);
  void performed(ThreadId thread) { ++operations_[thread]; }
  std::uint32_t operations(ThreadId thread) const noexcept { return operations_[thread]; }

 private:
  std::array<std::uint32_t, kMaxThreads> operations_{};
  Moment last_;
};

// Decides as `inner` does, and records the course.
class Recording final : public Strategy {
 public:
  explicit Recording(Strategy& inner) : inner_(inner) {}
  const Course& course() const noexcept { return course_; }

  std::string name() const override { return inner_.name(); }
  bool begin() override;
  std::uint32_t choose(const Choice& choice) override;
  bool observes() const override { return true; }
  void observe(ThreadId thread, const View& view) override;
  void end(const Outcome& outcome) override { inner_.end(outcome); }

 private:
  Strategy& inner_;
  Moments moments_;
  Course course_;
};

// Decides by a course from which deviations may have been left out. If a thread cannot continue, the thread follows
// whose next operation came first in the original.
class Guide final : public Strategy {
 public:
  Guide(const std::vector<Deviation>& deviations, const std::vector<ThreadId>& performers);

  std::string name() const override { return "guide"; }
  bool begin() override;
  std::uint32_t choose(const Choice& choice) override;
  bool observes() const override { return true; }
  void observe(ThreadId thread, const View&) override { moments_.performed(thread); }

 private:
  std::uint32_t first_in_original(const Choice& choice) const;

  std::map<Moment, std::uint32_t> answers_;
  std::array<std::vector<std::uint32_t>, kMaxThreads> places_;  // of each thread's operations, in the original
  Moments moments_;
};

}  // namespace heddle_check
