// ThreadState: what an execution knows of one thread.
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
  bool trivial;  // without a destructor: stays until all others of its thread are gone
};

// Why a wait that nobody notified shall end.
enum class ForcedWake : std::uint8_t {
  kNo,
  kTimeout,
  kProbe,  // nothing else can happen: woken to see whether its condition holds already
};

struct ThreadState {
  std::string name;
  const std::function<void()>* body = nullptr;  // own_body, or the scenario's
  std::function<void()> own_body;
  ThreadId starter = kNoThread;  // while it runs to its first operation: who goes on then
  ThreadId joiner = kNoThread;   // who waits for its end
  bool finished = false;
  bool joined = false;
  bool yields = false;  // its next operation is a yield or a sleep

  // While it waits on a condition variable, and until it has the mutex back:
  ObjectId condition = kNoObject;
  ObjectId mutex = kNoObject;
  TimePoint deadline = TimePoint::max();  // max: none
  bool notified = false;
  ForcedWake forced = ForcedWake::kNo;
  ObjectId probing = kNoObject;  // the condition variable it was woken from by a probe, and has not waited on since
  bool probed = false;           // and was found to wait rightly

  std::vector<HeldLock> held;
  std::vector<LocalObject> locals;

  Knowledge knowledge;
  Knowledge to_release;  // what its last release fence covers; relaxed stores hand it on
  Knowledge to_acquire;  // what its relaxed loads have read, for its next acquire fence

  void reset(const std::string& new_name);
};

}  // namespace heddle_check
