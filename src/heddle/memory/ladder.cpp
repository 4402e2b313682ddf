#include "heddle/memory/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

// The wait of the last rung: for streams to finish what still uses freed blocks.
constexpr std::chrono::milliseconds kWaitMost{2000};
constexpr std::chrono::milliseconds kWaitStep{1};

}  // namespace

const std::array<Ladder::Rung, Ladder::kSearchRungs> Ladder::kSearch{{
    // Own inbox, own pending blocks, own spans; own empty runs, where the heap would own too much.
    {"own memory", &Ladder::use_own, &Ladder::always, Rung::Then::kGoOn},
    // What other streams surrendered and is ready.
    {"depot", &Ladder::use_depot, &Ladder::always, Rung::Then::kGoOn},
    // Rather than take more from the device: but only if that serves, as runs that a loop uses are empty now and then.
    {"own empty runs for one block", &Ladder::use_own_runs, &Ladder::own_runs_hold, Rung::Then::kGoOn},
    {"new segments", &Ladder::grow, &Ladder::always, Rung::Then::kGoOn},
}};

const std::array<Ladder::Rung, Ladder::kClimbRungs> Ladder::kClimb{{
    {"own empty runs", &Ladder::dissolve, &Ladder::always, Rung::Then::kSearch},
    // Outboxes are emptied, idle heaps surrender what they do not use.
    {"idle heaps", &Ladder::reclaim_from_others, &Ladder::always, Rung::Then::kSearch},
    // So that the device can give a segment that fits.
    {"idle segments given back", &Ladder::give_back, &Ladder::always, Rung::Then::kSearch},
    // Here the callbacks will stand.
    // What another stream has freed but not finished with, after a wait on the device.
    {"waits on the device", &Ladder::use_after_wait, &Ladder::may_wait, Rung::Then::kGoOn},
    {"waiting", &Ladder::wait_and_search, &Ladder::may_wait, Rung::Then::kGoOn},
}};

Block* Ladder::climb(Heap& heap, std::size_t bytes) {
  const Request request{heap, bytes};
  if (Block* block = search(request)) return block;
  for (std::size_t at = 0; at < kClimbRungs; ++at) {
    const Rung& rung = kClimb[at];
    if (!(this->*rung.applies)(request)) continue;
    climb_counts_[at].tried.fetch_add(1, sync::relaxed);
    Block* block = (this->*rung.step)(request);
    if (block == nullptr && rung.then == Rung::Then::kSearch) block = search(request);
    if (block == nullptr) continue;
    climb_counts_[at].yielded.fetch_add(1, sync::release);
    return block;
  }
  return nullptr;
}

Block* Ladder::search(const Request& request) {
  for (std::size_t at = 0; at < kSearchRungs; ++at) {
    const Rung& rung = kSearch[at];
    if (!(this->*rung.applies)(request)) continue;
    search_counts_[at].tried.fetch_add(1, sync::relaxed);
    Block* const block = (this->*rung.step)(request);
    if (block == nullptr) continue;
    search_counts_[at].yielded.fetch_add(1, sync::release);
    return block;
  }
  return nullptr;
}

std::string Ladder::text() const {
  std::string text;
  const auto add = [&](const Rung& rung, const Count& count) {
    const std::uint64_t yielded = count.yielded.load(sync::acquire);  // first: each was tried before
    const std::uint64_t tried = count.tried.load(sync::relaxed);
    if (tried != 0) text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ", rung.name, yielded, tried);
  };
  for (std::size_t at = 0; at < kSearchRungs; ++at) add(kSearch[at], search_counts_[at]);
  for (std::size_t at = 0; at < kClimbRungs; ++at) add(kClimb[at], climb_counts_[at]);
  return text.empty() ? "nothing" : text + " (served of tried, since the start)";
}

Block* Ladder::take(const Request& request) {
  return request.heap.take_slowly(request.bytes, request.list(), parts_.shares().run_bytes_max());
}

std::size_t Ladder::wanted_bytes(const Request& request) const noexcept {
  const LimitShares shares = parts_.shares();
  return std::max(shares.segment_bytes(), request.heap.wanted_bytes(request.bytes, shares.run_bytes_max()));
}

bool Ladder::own_runs_hold(const Request& request) const {
  return request.bytes > kLargestSlot && request.heap.empty_run_bytes(request.roams()) >= rounded_bytes(request.bytes);
}

bool Ladder::may_wait(const Request&) const { return !sync::NoWaiting::active(); }

Block* Ladder::use_own(const Request& request) {
  Heap& heap = request.heap;
  heap.collect();
  if (request.bytes <= kLargestSlot && heap.may_flush_others()) {
    parts_.ledger->flush_all();
    heap.collect();
  }
  if (Block* block = take(request)) return block;
  return remake_runs(request);
}

Block* Ladder::remake_runs(const Request& request) {
  Heap& heap = request.heap;
  const bool roaming = request.roams();
  const std::size_t allowed = heap.allowed_bytes(parts_.shares().slack());
  const std::size_t owned = heap.counters().owned.load(sync::relaxed);
  const bool may_own_more = owned + wanted_bytes(request) <= allowed;
  if (may_own_more || heap.empty_run_bytes(roaming) < rounded_bytes(request.bytes)) return nullptr;
  heap.dissolve(roaming);
  Block* const block = take(request);
  // Not as soon as it owns more: a loop that needs just what is allowed would lose memory and get other in each round.
  if (owned > allowed + allowed / 4) reclaim_.pass_on(heap, owned - allowed, roaming);
  return block;
}

Block* Ladder::use_depot(const Request& request) {
  request.heap.expect_memory();
  const Span span = parts_.depot.take(*request.heap.home(), wanted_bytes(request), rounded_bytes(request.bytes));
  if (span.base == nullptr) return nullptr;
  request.heap.add_memory(span, request.roams());
  return take(request);
}

Block* Ladder::use_own_runs(const Request& request) {
  request.heap.dissolve(request.roams());
  return take(request);
}

Block* Ladder::grow(const Request& request) {
  request.heap.expect_memory();
  const Span segment = parts_.segments.obtain(wanted_bytes(request), rounded_bytes(request.bytes));
  if (segment.base == nullptr) return nullptr;
  request.heap.add_memory(segment, request.roams());
  note_peak();
  Block* const block = take(request);
  reclaim_.give_back_above_high();
  return block;
}

Block* Ladder::dissolve(const Request& request) {
  Reclaim::dissolve(request.heap);
  return nullptr;
}

Block* Ladder::reclaim_from_others(const Request& request) {
  // Before this thread waits for others, or looks for a larger piece: others and the device get at what it has.
  reclaim_.surrender(request.heap);
  reclaim_.from_others_once_for_all();
  return nullptr;
}

Block* Ladder::give_back(const Request&) {
  reclaim_.give_back(parts_.budget.limit());
  return nullptr;
}

Block* Ladder::use_after_wait(const Request& request) {
  const StreamUse last = parts_.depot.find_waiting(rounded_bytes(request.bytes));
  if (last.lane == nullptr) return nullptr;
  request.heap.home()->run_after(*last.lane, last.ticket);  // first: it may throw
  request.heap.expect_memory();
  const Span span = parts_.depot.take_after(last, rounded_bytes(request.bytes));
  if (span.base == nullptr) return nullptr;
  request.heap.add_memory(span, request.roams());
  return take(request);
}

Block* Ladder::wait_and_search(const Request& request) {
  Lane& lane = *request.heap.home();
  const sync::Deadline deadline = sync::Deadline::after(kWaitMost);
  while (could_ever_fit(request.bytes)) {
    // To the workers: this thread may stop waiting before the list has run. Where its queue is full, the next time.
    static_cast<void>(lane.try_commit());
    request.heap.collect();
    reclaim_from_others(request);
    Block* block = search(request);
    if (block == nullptr && reclaim_.give_back(parts_.budget.limit()) > 0) block = search(request);
    if (block != nullptr) return block;
    if (deadline.passed()) return nullptr;
    // For a moment only: another stream's work may be done first, or another thread's blocks come back.
    if (lane.wait(lane.committed(), sync::Deadline::after(kWaitStep), Helping::kIfNeeded)) sync::sleep_for(kWaitStep);
  }
  return nullptr;
}

void Ladder::note_peak() noexcept {
  const std::size_t rounded = parts_.heaps.rounded_now(*parts_.ledger);
  std::size_t peak = rounded_peak_.load(sync::relaxed);
  while (peak < rounded && !rounded_peak_.compare_exchange_weak(peak, rounded, sync::relaxed)) {
  }
}

bool Ladder::could_ever_fit(std::size_t bytes) const noexcept {
  const bool counts_at_once = !HEDDLE_PLANT(fit_adds_what_came_and_went);
  const HeapTable& heaps = parts_.heaps;
  const std::size_t rounded =
      counts_at_once ? heaps.rounded_at_least(*parts_.ledger) : heaps.rounded_now(*parts_.ledger);
  const std::size_t limit = parts_.budget.limit();
  return rounded <= limit && limit - rounded >= rounded_bytes(bytes);
}

}  // namespace HEDDLE_NS
