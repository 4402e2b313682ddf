// DeviceMemory's slow path: what an allocation tries when its heap has no free slot.
#include "heddle/memory/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <string_view>

#include "heddle/memory/device_memory.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kSegmentUsual = std::size_t{2} << 20;
constexpr std::size_t kRunBytesLeast = 4096;
// What a heap may own beside a multiple of what it needs at once: a first run of each class, so that sizes that come
// and go find theirs.
constexpr std::size_t kKeptMost = std::size_t{26} << 20;
// The wait of the last rung: for streams to finish what still uses freed blocks.
constexpr std::chrono::milliseconds kWaitMost{2000};
constexpr std::chrono::milliseconds kWaitStep{1};

constexpr std::array<std::string_view, static_cast<std::size_t>(Rung::kCount)> kRungNames = {
    "own memory",          "depot",  "new segments", "own empty runs", "idle heaps", "idle segments given back",
    "waits on the device", "waiting"};

}  // namespace

std::string LadderCounts::text() const {
  std::string text;
  for (std::size_t rung = 0; rung < counts_.size(); ++rung) {
    const std::uint64_t yielded = counts_[rung].yielded.load(sync::acquire);  // first: each was tried before
    const std::uint64_t tried = counts_[rung].tried.load(sync::relaxed);
    if (tried == 0) continue;
    text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", kRungNames[rung], yielded, tried);
  }
  return text.empty() ? "nothing" : text + " (served of tried, since the start)";
}

Heap& DeviceMemory::heap_of(Lane& lane) {
  sync::Atomic<Heap*>& entry = heaps_[lane.id().value];
  Heap* heap = entry.load(sync::relaxed);
  if (heap == nullptr) {
    heap = new Heap(&lane, this);
    entry.store(heap, sync::release);  // counterpart: whoever goes through all heaps
    heap_count_.fetch_add(1, sync::relaxed);
  }
  return *heap;
}

// A share of the limit for each class of each active heap, so that a small limit serves many streams.
std::size_t DeviceMemory::run_bytes_max() const noexcept {
  const std::size_t share = budget_.limit() / (16 * std::max<std::size_t>(1, heap_count_.load(sync::relaxed)));
  return std::clamp(share, kRunBytesLeast, kSegmentUsual);
}

std::size_t DeviceMemory::segment_bytes() const noexcept {
  return std::min(kSegmentUsual, std::max<std::size_t>(kRunBytesLeast, budget_.limit() / 64));
}

std::size_t DeviceMemory::bytes_kept() const noexcept {
  return std::min(kKeptMost, budget_.limit() / (8 * std::max<std::size_t>(1, heap_count_.load(sync::relaxed))));
}

bool DeviceMemory::grow(Heap& heap, std::size_t bytes) {
  rungs_.tried(Rung::kGrow);
  const std::size_t wanted = std::max(segment_bytes(), heap.wanted_bytes(bytes, run_bytes_max()));
  heap.expect_memory();
  const Span segment = segments_.obtain(wanted, rounded_bytes(bytes));
  if (segment.base == nullptr) return false;
  heap.add_memory(segment, heap.roams(bytes, heap.home()->committed().value));
  const std::size_t rounded = rounded_now();
  std::size_t peak = rounded_peak_.load(sync::relaxed);
  while (peak < rounded && !rounded_peak_.compare_exchange_weak(peak, rounded, sync::relaxed)) {
  }
  return true;
}

Block* DeviceMemory::search(Heap& heap, std::size_t bytes) {
  const std::uint64_t list = heap.home()->committed().value;
  const std::size_t run_bytes = run_bytes_max();
  rungs_.tried(Rung::kOwn);
  heap.collect();
  if (bytes <= kLargestSlot && heap.may_flush_others()) {
    ledger_->flush_all();
    heap.collect();
  }
  if (Block* block = heap.take_slowly(bytes, list, run_bytes)) {
    rungs_.yielded(Rung::kOwn);
    return block;
  }
  const bool roaming = heap.roams(bytes, list);
  const std::size_t wanted = std::max(segment_bytes(), heap.wanted_bytes(bytes, run_bytes));
  if (Block* block = remake_runs(heap, bytes, wanted, roaming)) {
    rungs_.yielded(Rung::kOwn);
    return block;
  }
  rungs_.tried(Rung::kDepot);
  heap.expect_memory();
  // As much as a segment where there is one: pieces of several heaps in one segment seldom come together again.
  const Span span = depot_.take(*heap.home(), wanted, rounded_bytes(bytes));
  if (span.base != nullptr) {
    heap.add_memory(span, roaming);
    rungs_.yielded(Rung::kDepot);
    return heap.take_slowly(bytes, list, run_bytes);
  }
  // Rather than take more from the device: but only if that serves, as runs that a loop uses are empty now and then.
  if (bytes > kLargestSlot && heap.empty_run_bytes(roaming) >= rounded_bytes(bytes)) {
    heap.dissolve(roaming);
    if (Block* block = heap.take_slowly(bytes, list, run_bytes)) return block;
  }
  if (!grow(heap, bytes)) return nullptr;
  rungs_.yielded(Rung::kGrow);
  Block* const block = heap.take_slowly(bytes, list, run_bytes);
  give_back_above_high();
  return block;
}

Block* DeviceMemory::climb(Heap& heap, std::size_t bytes) {
  const auto rung = [&](Rung name, auto&& action) -> Block* {
    rungs_.tried(name);
    action();
    Block* const block = search(heap, bytes);
    if (block != nullptr) rungs_.yielded(name);
    return block;
  };
  if (Block* block = rung(Rung::kOwnRuns, [&] { dissolve(heap); })) return block;
  // Before this thread waits for others, or looks for a larger piece: others and the device get at what it has.
  surrender(heap);
  if (Block* block = rung(Rung::kOthers, [&] { reclaim_once_for_all(); })) return block;
  if (Block* block = rung(Rung::kGiveBack, [&] { give_back(budget_.limit()); })) return block;
  // Here the callbacks will stand: outside the flight, as they are users' code.
  if (sync::NoWaiting::active()) return nullptr;
  if (Block* block = use_behind_wait(heap, bytes)) return block;
  return wait_and_search(heap, bytes);
}

Block* DeviceMemory::use_behind_wait(Heap& heap, std::size_t bytes) {
  rungs_.tried(Rung::kDeviceWait);
  const StreamUse last = depot_.find_waiting(rounded_bytes(bytes));
  if (last.lane == nullptr) return nullptr;
  heap.home()->stand_behind(*last.lane, last.ticket);  // first: it may throw
  heap.expect_memory();
  const Span span = depot_.take_behind(last, rounded_bytes(bytes));
  if (span.base == nullptr) return nullptr;
  const std::uint64_t list = heap.home()->committed().value;  // the wait has closed one
  heap.add_memory(span, heap.roams(bytes, list));
  Block* const block = heap.take_slowly(bytes, list, run_bytes_max());
  rungs_.yielded(Rung::kDeviceWait);
  return block;
}

std::size_t DeviceMemory::rounded_now() const noexcept {
  const FreedCounts freed = ledger_->freed();  // first: each of these was allocated before
  std::size_t rounded = 0;
  for (std::size_t id = 0; id < heaps_max_; ++id) {
    const Heap* const heap = heaps_[id].load(sync::acquire);
    if (heap != nullptr) rounded += heap->counters().sums().rounded;
  }
  return rounded - freed.rounded;
}

std::size_t DeviceMemory::rounded_at_least() const noexcept {
  std::size_t allocated = 0;
  std::size_t freed = 0;
  for (std::size_t id = 0; id < heaps_max_; ++id) {
    const Heap* const heap = heaps_[id].load(sync::acquire);
    if (heap != nullptr) allocated += heap->counters().rounded_allocated();
  }
  for (std::size_t id = 0; id < heaps_max_; ++id) {
    const Heap* const heap = heaps_[id].load(sync::acquire);
    if (heap != nullptr) freed += heap->counters().rounded_freed();
  }
  freed += ledger_->freed().rounded;
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(allocated - freed)));
}

bool DeviceMemory::could_ever_fit(std::size_t bytes) const noexcept {
  const std::size_t rounded = HEDDLE_PLANT(fit_adds_what_came_and_went) ? rounded_now() : rounded_at_least();
  return rounded <= budget_.limit() && budget_.limit() - rounded >= rounded_bytes(bytes);
}

Block* DeviceMemory::wait_and_search(Heap& heap, std::size_t bytes) {
  Lane& lane = *heap.home();
  rungs_.tried(Rung::kWait);
  const sync::Deadline deadline = sync::Deadline::after(kWaitMost);
  while (could_ever_fit(bytes)) {
    // To the workers: this thread may stop waiting before the list has run. Where its queue is full, the next time.
    static_cast<void>(lane.try_commit());
    heap.collect();
    surrender(heap);
    reclaim_once_for_all();
    Block* block = search(heap, bytes);
    if (block == nullptr && give_back(budget_.limit()) > 0) block = search(heap, bytes);
    if (block != nullptr) {
      rungs_.yielded(Rung::kWait);
      return block;
    }
    if (deadline.passed()) return nullptr;
    // For a moment only: another stream's work may be done first, or another thread's blocks come back.
    if (lane.wait(lane.committed(), sync::Deadline::after(kWaitStep), Helping::kIfNeeded)) sync::sleep_for(kWaitStep);
  }
  return nullptr;
}

void DeviceMemory::dissolve(Heap& heap) noexcept {
  for (const bool roaming : {false, true}) heap.dissolve(roaming);
}

void DeviceMemory::surrender(Heap& heap) noexcept {
  dissolve(heap);
  try {
    for (const bool roaming : {false, true}) {
      const std::vector<Span> spans = heap.free_spans(roaming);
      if (!spans.empty()) depot_.give(spans, {heap.home(), heap.home()->issued()});
      heap.drop_free_spans(roaming);
    }
  } catch (const std::bad_alloc&) {
    return;  // without host memory the heap keeps what it has
  }
}

Block* DeviceMemory::remake_runs(Heap& heap, std::size_t bytes, std::size_t wanted, bool roaming) {
  const std::size_t allowed = heap.allowed_bytes(bytes_kept());
  const std::size_t owned = heap.counters().owned.load(sync::relaxed);
  if (owned + wanted <= allowed || heap.empty_run_bytes(roaming) < rounded_bytes(bytes)) return nullptr;
  heap.dissolve(roaming);
  Block* const block = heap.take_slowly(bytes, heap.home()->committed().value, run_bytes_max());
  // Not as soon as it owns more: a loop that needs just what is allowed would lose memory and get other in each round.
  if (owned > allowed + allowed / 4) pass_on(heap, owned - allowed, roaming);
  return block;
}

void DeviceMemory::pass_on(Heap& heap, std::size_t most, bool roaming) noexcept {
  try {
    std::vector<Span> passed;
    for (const Span& span : heap.free_spans(roaming)) {
      for (const Span& segment : segments_.within(span)) {
        if (segment.bytes > most) continue;
        passed.push_back(segment);
        most -= segment.bytes;
      }
    }
    if (passed.empty()) return;
    heap.expect_memory(passed.size());
    depot_.give(passed, {heap.home(), heap.home()->issued()});
    for (const Span& segment : passed) heap.drop(segment, roaming);
  } catch (const std::bad_alloc&) {
    return;
  }
}

void DeviceMemory::reclaim_once_for_all() {
  const bool must_not_wait = sync::NoWaiting::active() || HEDDLE_PLANT(flight_is_not_waited_for);
  const bool flies = must_not_wait ? flight_.try_board() : flight_.board();
  if (!flies) return;
  try {
    reclaim_from_others(false);
    depot_.gather();
  } catch (...) {
    flight_.land();
    throw;
  }
  flight_.land();
}

void DeviceMemory::reclaim_from_others(bool only_unleased) {
  ledger_->flush_all();
  pool_.visit_idle([&](Lane& lane) {
    Heap* const heap = heaps_[lane.id().value].load(sync::acquire);
    if (heap == nullptr || (only_unleased && lane.holder_thread() != 0)) return;
    heap->collect();
    surrender(*heap);
  });
}

std::size_t DeviceMemory::give_back(std::size_t most) {
  std::size_t bytes = 0;
  for (const Span& segment : depot_.take_segments(segments_, most)) {
    segments_.give_back(segment);
    bytes += segment.bytes;
  }
  return bytes;
}

// What loops use stays theirs: only the depot and the heaps of streams that nobody holds are asked.
void DeviceMemory::give_back_above_high() noexcept {
  if (budget_.reserved() <= budget_.high()) return;
  try {
    reclaim_from_others(true);
    const std::size_t reserved = budget_.reserved();  // others give back too
    if (reserved > budget_.low()) give_back(reserved - budget_.low());
  } catch (const std::bad_alloc&) {
    return;  // the next one that grows tries again
  }
}

std::string DeviceMemory::report(const Lane* asking) const {
  const MemoryStatistics now = statistics();
  std::string text = fmt::format(
      "limit {}, reserved {}, in use {} in {} blocks ({} after rounding), free {} (largest span {}), still used by "
      "other streams {}",
      now.limit, now.reserved, now.live, now.live_blocks, now.rounded, now.cached, depot_.totals().largest,
      now.pending);
  const Depot::Uncommitted uncommitted = depot_.uncommitted(asking);
  if (uncommitted.stream != nullptr) {
    text += fmt::format("; of what is free, {} behind commands that are not committed, as of stream {}, thread {}",
                        uncommitted.bytes, uncommitted.stream->id().value, uncommitted.stream->holder_thread());
  }
  struct Holder {
    std::size_t stream, owned, rounded;
  };
  std::vector<Holder> holders;
  for (std::size_t id = 0; id < heaps_max_; ++id) {
    const Heap* const heap = heaps_[id].load(sync::acquire);
    if (heap == nullptr) continue;
    const HeapCounters& counters = heap->counters();
    holders.push_back({id, counters.owned.load(sync::relaxed), counters.sums().rounded});
  }
  const std::size_t shown = std::min<std::size_t>(holders.size(), 4);
  std::partial_sort(holders.begin(), holders.begin() + static_cast<std::ptrdiff_t>(shown), holders.end(),
                    [](const Holder& a, const Holder& b) { return a.owned > b.owned; });
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("{} stream {} holds {} ({} in use or not yet back)", i == 0 ? "; most:" : ",",
                        holders[i].stream, holders[i].owned, holders[i].rounded);
  }
  return text;
}

}  // namespace HEDDLE_NS
