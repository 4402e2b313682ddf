// The version of heddle. CMakeLists.txt reads it from here.
#pragma once

#include "heddle/detail/namespace.hpp"

#define HEDDLE_VERSION_MAJOR 0
#define HEDDLE_VERSION_MINOR 1
#define HEDDLE_VERSION_PATCH 0

namespace HEDDLE_NS {

// The library's build id: source revision, "-dirty-" and a digest when the tree differs from it.
HEDDLE_API const char* build_id() noexcept;

}  // namespace HEDDLE_NS
