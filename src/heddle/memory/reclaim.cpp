#include "heddle/memory/reclaim.hpp"

#include <new>
#include <vector>

#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

void Reclaim::dissolve(Heap& heap) noexcept {
  for (const bool roaming : {false, true}) heap.dissolve(roaming);
}

void Reclaim::surrender(Heap& heap) noexcept {
  dissolve(heap);
  try {
    for (const bool roaming : {false, true}) {
      const std::vector<Span> spans = heap.free_spans(roaming);
      if (!spans.empty()) parts_.depot.give(spans, {heap.home(), heap.home()->issued()});
      heap.drop_free_spans(roaming);
    }
  } catch (const std::bad_alloc&) {
    return;  // without host memory the heap keeps what it has
  }
}

void Reclaim::pass_on(Heap& heap, std::size_t most, bool roaming) noexcept {
  try {
    std::vector<Span> passed;
    for (const Span& span : heap.free_spans(roaming)) {
      for (const Span& segment : parts_.segments.within(span)) {
        if (segment.bytes > most) continue;
        passed.push_back(segment);
        most -= segment.bytes;
      }
    }
    if (passed.empty()) return;
    heap.expect_memory(passed.size());
    parts_.depot.give(passed, {heap.home(), heap.home()->issued()});
    for (const Span& segment : passed) heap.drop(segment, roaming);
  } catch (const std::bad_alloc&) {
    return;
  }
}

void Reclaim::from_others(From from) {
  parts_.ledger->flush_all();
  pool_.visit_idle([&](Lane& lane) {
    Heap* const heap = parts_.heaps.find(lane);
    if (heap == nullptr || (from == From::kUnleased && lane.holder_thread() != 0)) return;
    heap->collect();
    surrender(*heap);
  });
}

void Reclaim::from_others_once_for_all() {
  bool must_not_wait = sync::NoWaiting::active();
  if (HEDDLE_PLANT(flight_is_not_waited_for)) must_not_wait = true;
  const bool flies = must_not_wait ? flight_.try_board() : flight_.board();
  if (!flies) return;
  try {
    from_others(From::kIdle);
    parts_.depot.gather();
  } catch (...) {
    flight_.land();
    throw;
  }
  flight_.land();
}

std::size_t Reclaim::give_back(std::size_t most) {
  std::size_t bytes = 0;
  for (const Span& segment : parts_.depot.take_segments(parts_.segments, most)) {
    parts_.segments.give_back(segment);
    bytes += segment.bytes;
  }
  return bytes;
}

void Reclaim::give_back_above_high() noexcept {
  Budget& budget = parts_.budget;
  if (budget.reserved() <= budget.high()) return;
  try {
    from_others(From::kUnleased);
    const std::size_t reserved = budget.reserved();  // others give back too
    if (reserved > budget.low()) give_back(reserved - budget.low());
  } catch (const std::bad_alloc&) {
    return;  // the next one that grows tries again
  }
}

}  // namespace HEDDLE_NS
