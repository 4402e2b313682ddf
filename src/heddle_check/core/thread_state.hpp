// ThreadState: an execution's knowledge of one thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "heddle_check/clock.hpp"
#include "heddle_check/core/object.hpp"
#include "heddle_check/core/operation.hpp"

namespace heddle_check {

struct HeldLock {
  ObjectId object;
  Site site;
};

struct LocalObject {
  const void* key;
  void* object;
  void (*destroy)(void*);
  bool trivial;  // no destructor: stays until all other objects of its thread are gone
};

// Why a wait without a notification must end.
enum class ForcedWake : std::uint8_t {
  kNo,
  kTimeout,
  kProbe,  // no other thread can run: woken to see whether its condition already holds
};

struct ThreadState {
  std::string name;
  const std::function<void()>* body = nullptr;  // own_body, or the scenario's
  std::function<void()> own_body;
  ThreadId starter = kNoThread;  // until its first operation: the thread that continues then
  ThreadId joiner = kNoThread;   // the thread that waits for its end
  bool finished = false;
  bool joined = false;
  bool yields = false;  // its next operation is a yield or a sleep

  // While it waits on a condition variable, and until it has the mutex back:
  ObjectId condition = kNoObject;
  ObjectId mutex = kNoObject;
  TimePoint deadline = TimePoint::max();  // max: none
  bool notified = false;
  ForcedWake forced = ForcedWake::kNo;
  ObjectId probing = kNoObject;  // the condition variable that a probe woke it from, until it waits on one again
  bool probed = false;           // and the probe found that it waits rightly

  std::vector<HeldLock> held;
  std::vector<LocalObject> locals;

  Knowledge knowledge;
  Knowledge to_release;  // covered by its last release fence; relaxed stores publish it
  Knowledge to_acquire;  // read by its relaxed loads, for its next acquire fence

  void reset(const std::string& new_name);
};

}  // namespace heddle_check
