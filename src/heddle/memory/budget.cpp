#include "heddle/memory/budget.hpp"

#include "heddle/base/check.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

// Relaxed throughout: the word orders nothing but itself; what it admits is published by whoever obtains it.
bool Budget::reserve(std::size_t bytes) noexcept {
  std::size_t reserved = reserved_.load(sync::relaxed);
  do {
    if (bytes > limit_ - reserved) return false;
    if (HEDDLE_PLANT(budget_reserves_by_store)) {
      reserved_.store(reserved + bytes, sync::relaxed);
      break;
    }
  } while (!reserved_.compare_exchange_weak(reserved, reserved + bytes, sync::relaxed));
  reserved += bytes;
  std::size_t peak = peak_.load(sync::relaxed);
  while (peak < reserved && !peak_.compare_exchange_weak(peak, reserved, sync::relaxed)) {
  }
  return true;
}

void Budget::release(std::size_t bytes) noexcept {
  const std::size_t before = reserved_.fetch_sub(bytes, sync::relaxed);
  HEDDLE_CHECK(before >= bytes, "more was given back to the budget than was reserved");
}

}  // namespace HEDDLE_NS
