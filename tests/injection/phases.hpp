// The phases of the injection subject: each uses a part of the library and compares the results. A phase throws what
// the library throws; a wrong value is noted in the books. A phase that threw may be repeated.
#pragma once

#include <span>

#include "heddle/heddle.hpp"

namespace injection {

struct Phase {
  const char* name;
  void (*run)(heddle::Runtime& runtime);
};
std::span<const Phase> phases();

}  // namespace injection
