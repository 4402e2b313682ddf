// HEDDLE_PLANT(id): a planted fault, for checks of the checks.
//
//   if (!HEDDLE_PLANT(owner_gate_without_fence)) asymmetric_fence_heavy();
//
// The constant false in the shipped build, which has no trace of it. In the checked build true while the plant `id` is
// switched on (sync/checked/plants.hpp); the table of plants is in check/plants.cpp.
#pragma once

#include "heddle/detail/namespace.hpp"

#if HEDDLE_CHECKED
#include "heddle/sync/checked/plants.hpp"
#define HEDDLE_PLANT(id) (::heddle::sync::plant_is_on(#id))
#else
#define HEDDLE_PLANT(id) false
#endif
