#include "heddle/sync/checked/plants.hpp"

#include <cstring>

namespace HEDDLE_NS::sync {

namespace detail {
const char* plant_on = nullptr;
bool is_plant(const char* id) noexcept { return std::strcmp(plant_on, id) == 0; }
}  // namespace detail

void switch_plant_on(const std::string& id) {
  static std::string on;
  on = id;
  detail::plant_on = on.empty() ? nullptr : on.c_str();
}

}  // namespace HEDDLE_NS::sync
