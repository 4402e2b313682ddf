// Objects: what the checker knows of each mutex, condition variable, atomic and cell of the running execution.
//
// A primitive holds an ObjectRef of 8 bytes; everything else is here, in a table that is emptied, not freed, between
// executions. A primitive is entered at its first use, so objects with static storage need no reset, and construction
// is no operation. A destroyed primitive keeps its entry: a later use finds it, as long as its memory was not used
// again (memory used again is for AddressSanitizer to find).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/core/operation.hpp"
#include "heddle_check/core/vector_clock.hpp"

namespace heddle_check {

enum class ObjectType : std::uint8_t { kNone, kMutex, kSharedMutex, kCondition, kAtomic, kCell };
const char* name_of(ObjectType type) noexcept;

struct ObjectRef {
  std::uint32_t epoch = 0;  // of the execution that entered it
  ObjectId id = kNoObject;
};

inline constexpr int kUnranked = -1;

struct Object {
  ObjectType type = ObjectType::kNone;
  bool destroyed = false;
  const char* name = nullptr;  // null: type and number
  int rank = kUnranked;
  std::uint8_t lock_class = 0;  // of LockOrder; 0: none
  ThreadMask touched = 0;       // by whom it was ever used
  // Locks: `wanted` by threads whose next operation is to lock it (`wanted_shared`: for reading).
  ThreadMask wanted = 0;
  ThreadMask wanted_shared = 0;
  ThreadMask readers = 0;
  ThreadId owner = kNoThread;  // of a mutex; last writer of a cell
  ThreadMask waiting = 0;      // on a condition variable, not notified yet
  Site site{};                 // where it was locked, or last written
  // Locks, atomics: what whoever acquires it learns. Cells: `knowledge.hb` holds the times of the last reads.
  Knowledge knowledge;
  std::uint32_t written_at = 0;  // cells: time of the last write by `owner`
  std::uint32_t history = 0;     // atomics under stale reads: 1 + the number of their History
};

class Objects {
 public:
  void begin(std::uint32_t epoch) noexcept;
  // The entry of `ref`; makes one if this execution has not used it. Null: the memory of a primitive of another type.
  Object* find(ObjectRef& ref, ObjectType type);
  Object& operator[](ObjectId id) noexcept { return table_[id]; }
  const Object& operator[](ObjectId id) const noexcept { return table_[id]; }
  bool knows(const ObjectRef& ref) const noexcept { return ref.epoch == epoch_ && ref.id < size_; }
  ObjectId size() const noexcept { return size_; }
  std::string label(ObjectId id) const;

 private:
  std::vector<Object> table_;
  ObjectId size_ = kFirstObject;
  std::uint32_t epoch_ = 0;
};

}  // namespace heddle_check
