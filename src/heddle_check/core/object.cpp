#include "heddle_check/core/object.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace heddle_check {

const char* name_of(ObjectType type) noexcept {
  switch (type) {
    case ObjectType::kMutex: return "mutex";
    case ObjectType::kSharedMutex: return "shared mutex";
    case ObjectType::kCondition: return "condition variable";
    case ObjectType::kAtomic: return "atomic";
    case ObjectType::kCell: return "cell";
    case ObjectType::kStoreBuffer: return "buffer";
    case ObjectType::kNone: break;
  }
  return "object";
}

void Objects::begin(std::uint32_t epoch) noexcept {
  epoch_ = epoch;
  size_ = kFirstObject;
  destroyed_.clear();
}

Object* Objects::find(ObjectRef& ref, ObjectType type) {
  if (knows(ref)) [[likely]] {
    Object& known = table_[ref.id];
    return known.type == type ? &known : nullptr;
  }
  // Neither a new primitive nor entered in this execution: a static one, or memory of a destroyed one.
  if (ref.epoch != 0 && std::find(destroyed_.begin(), destroyed_.end(), &ref) != destroyed_.end()) return nullptr;
  ref = {epoch_, size_};
  if (table_.size() <= size_) table_.resize(2 * (size_ + std::size_t{32}));
  Object& entered = table_[size_++];
  entered = Object{};
  entered.type = type;
  return &entered;
}

std::string Objects::label(ObjectId id) const {
  if (id == kNoObject) return "";
  if (id == kAllObjects || id >= size_) return "";
  const Object& object = table_[id];
  if (object.name != nullptr) return fmt::format("{}#{}", object.name, id);
  return fmt::format("{}#{}", name_of(object.type), id);
}

}  // namespace heddle_check
