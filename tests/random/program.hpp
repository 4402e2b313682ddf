// One random program over the public interface, whose every value is checked against a model on the host.
//
//   const std::string wrongs = run_program(make_plan(seed, "cpu"));   // one a line; empty: none
//
// Thread safety: programs may run beside one another.
#pragma once

#include <string>

#include "random/plan.hpp"

namespace heddle::programs {

std::string run_program(const Plan& plan);

}  // namespace heddle::programs
