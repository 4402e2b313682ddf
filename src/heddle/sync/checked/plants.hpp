// The planted fault that is switched on, if any. Exists only in the checked build.
//
// Thread safety: switched only between executions.
#pragma once

#include <string>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS::sync {

namespace detail {
extern const char* plant_on;  // null: none
bool is_plant(const char* id) noexcept;
}  // namespace detail

inline bool plant_is_on(const char* id) noexcept { return detail::plant_on != nullptr && detail::is_plant(id); }
// Empty: none.
void switch_plant_on(const std::string& id);

}  // namespace HEDDLE_NS::sync
