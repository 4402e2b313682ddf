// Objects: the checker's knowledge of each mutex, condition variable, atomic and cell of the running execution.
//
// A primitive holds an ObjectRef of 8 bytes; everything else is in this table, which is emptied, not freed, between
// executions. A primitive is entered at its first use, so objects in static storage need no reset, and construction is
// no operation. A destroyed primitive keeps its entry, and its address is kept: a later use finds one of the two,
// unless its memory holds a new primitive by then (AddressSanitizer finds that case).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heddle_check/core/operation.hpp"
#include "heddle_check/core/vector_clock.hpp"

namespace heddle_check {

enum class ObjectType : std::uint8_t { kNone, kMutex, kSharedMutex, kCondition, kAtomic, kCell, kStoreBuffer };
const char* name_of(ObjectType type) noexcept;

struct ObjectRef {
  std::uint32_t epoch = 0;  // the execution that entered it
  ObjectId id = kNoObject;
};

inline constexpr int kUnranked = -1;

struct Object {
  ObjectType type = ObjectType::kNone;
  bool destroyed = false;
  const char* name = nullptr;  // null: labeled by type and number
  int rank = kUnranked;
  std::uint8_t lock_class = 0;  // of LockOrder; 0: none
  // Locks: threads whose next operation is to lock it (`wanted_shared`: for reading).
  ThreadMask wanted = 0;
  ThreadMask wanted_shared = 0;
  ThreadMask readers = 0;
  ThreadId owner = kNoThread;  // of a mutex; last writer of a cell
  ThreadMask waiting = 0;      // on a condition variable, not notified yet
  Site site{};                 // where it was locked, or last written
  // Locks, atomics: what the next acquirer learns. Cells: `knowledge.hb` holds the times of the last reads.
  Knowledge knowledge;
  std::uint32_t written_at = 0;  // cells: time of the last write by `owner`
  std::uint32_t history = 0;     // atomics under stale reads: 1 + the number of their History
};

class Objects {
 public:
  void begin(std::uint32_t epoch) noexcept;
  // The entry of `ref`; makes one if this execution has not used it. Null: the primitive was destroyed, or its memory
  // now belongs to another one.
  Object* find(ObjectRef& ref, ObjectType type);
  Object& operator[](ObjectId id) noexcept { return table_[id]; }
  const Object& operator[](ObjectId id) const noexcept { return table_[id]; }
  void note_destroyed(const ObjectRef& ref) {
    table_[ref.id].destroyed = true;
    destroyed_.push_back(&ref);
  }
  bool knows(const ObjectRef& ref) const noexcept { return ref.epoch == epoch_ && ref.id < size_; }
  ObjectId size() const noexcept { return size_; }
  std::string label(ObjectId id) const;

 private:
  std::vector<Object> table_;
  ObjectId size_ = kFirstObject;
  std::uint32_t epoch_ = 0;
  std::vector<const ObjectRef*> destroyed_;
};

}  // namespace heddle_check
