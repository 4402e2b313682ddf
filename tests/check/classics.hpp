// Classic small programs with known bugs, for comparing strategies: the ideas of SCTBench's kernels and of D. Vyukov's
// SafeStack, rewritten against the checker's primitives.
//
// In the originals, threads can be switched at every access to memory; here only at visible operations. So each thread
// also works on its own atomic between shared operations, and the main thread does so between starting the others: a
// strategy that spends its switches there finds little, as in the originals.
#pragma once

#include <string>
#include <vector>

#include "heddle_check/scenario.hpp"

namespace heddle_check::classics {

Scenario account();
Scenario deadlock01();
Scenario lazy01();
Scenario twostage(int pairs);
Scenario reorder(int threads);  // one thread checks, the others set
Scenario wronglock();
Scenario stringbuffer();
Scenario bluetooth();
Scenario buffer_with_if();
Scenario work_stealing();
Scenario safe_stack();

std::vector<Scenario> all();

}  // namespace heddle_check::classics
