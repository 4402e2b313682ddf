#include "heddle/stream/lease_table.hpp"

#include <fmt/format.h>

#include <utility>

#include "heddle/stream/lane_table.hpp"
#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/thread.hpp"

namespace HEDDLE_NS {

void LeaseTable::add(std::shared_ptr<LeaseSlot> slot) {
  sync::require_host_memory();
  slots_.push_back(std::move(slot));
}

void LeaseTable::remove(const LeaseSlot& slot) noexcept {
  std::erase_if(slots_, [&](const auto& candidate) { return candidate.get() == &slot; });
}

std::size_t LeaseTable::kept_by_caller(bool with_main) const noexcept {
  std::size_t kept = 0;
  for (const auto& slot : slots_) {
    if (slot->lane == nullptr || slot->thread.load(sync::relaxed) != sync::this_thread_id()) continue;
    const bool is_main = MainLane::is(*slot->lane);
    if (is_main && !with_main) continue;
    // An error of an implicit lease's stream is collected by its thread; until then no other thread gets the stream.
    if (is_main || !slot->revocable() || slot->lane->queue().failures().failing()) ++kept;
  }
  return kept;
}

std::string LeaseTable::text() const {
  std::string text;
  for (const auto& slot : slots_) {
    if (slot->lane == nullptr) continue;
    text += fmt::format("{}stream {} by thread {}{}", text.empty() ? "" : ", ", slot->lane->id().value,
                        slot->thread.load(sync::relaxed), slot->revocable() ? " (implicit)" : "");
  }
  return text;
}

}  // namespace HEDDLE_NS
