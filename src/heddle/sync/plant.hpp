// HEDDLE_PLANT(id): a planted fault, which checks that the checks detect it.
//
//   if (!HEDDLE_PLANT(owner_gate_without_fence)) asymmetric_fence_heavy();
//
// In the shipped build, the constant false, without a trace in the object code. In the checked build, true while the
// plant `id` is switched on (sync/checked/plants.hpp). check/plants.cpp has the table of plants.
#pragma once

#include "heddle/detail/namespace.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/plants.hpp"
#define HEDDLE_PLANT(id) (::heddle::sync::plant_is_on(#id))
#else
#define HEDDLE_PLANT(id) false
#endif
