// sync/clock.hpp in the checked build: the checker's virtual clock.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle_check/clock.hpp"

namespace HEDDLE_NS::sync {

inline TimePoint now(heddle_check::Site site = heddle_check::Site::current()) noexcept {
  return heddle_check::now(site);
}
inline void sleep_for(Duration duration, heddle_check::Site site = heddle_check::Site::current()) {
  heddle_check::sleep_for(duration, site);
}

}  // namespace HEDDLE_NS::sync
