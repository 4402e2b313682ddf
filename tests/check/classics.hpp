// The classic small programs with known bugs, on which strategies are compared: the ideas of SCTBench's kernels and of
// D. Vyukov's SafeStack, written anew against the checker's primitives.
//
// There, threads can be switched at every access to memory, here only at visible operations. So each thread also works
// on an atomic of its own between its shared operations, and the main thread between starting others, as the originals
// do: a strategy that spends its switches there finds little.
#pragma once

#include <string>
#include <vector>

#include "heddle_check/scenario.hpp"

namespace heddle_check::classics {

Scenario account();
Scenario deadlock01();
Scenario lazy01();
Scenario twostage(int pairs);
Scenario reorder(int threads);  // one of them checks, the others set
Scenario wronglock();
Scenario stringbuffer();
Scenario bluetooth();
Scenario buffer_with_if();
Scenario work_stealing();
Scenario safe_stack();

std::vector<Scenario> all();

}  // namespace heddle_check::classics
