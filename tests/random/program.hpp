// One random program over the public interface; a model on the host checks every value.
//
//   const std::string wrongs = run_program(make_plan(seed, "cpu"));   // one per line; empty: none
//
// Thread safety: programs may run concurrently.
#pragma once

#include <string>

#include "random/plan.hpp"

namespace heddle::programs {

std::string run_program(const Plan& plan);

}  // namespace heddle::programs
