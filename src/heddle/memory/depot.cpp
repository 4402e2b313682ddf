#include "heddle/memory/depot.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "heddle/stream/lane.hpp"
#include "heddle/sync/fault_point.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

bool passed(const StreamUse& use) noexcept { return use.lane == nullptr || use.lane->completed() >= use.ticket; }

std::size_t shard_of(const Lane* lane) noexcept { return lane == nullptr ? 0 : lane->id().value % Depot::kShards; }

}  // namespace

void Depot::settle(Shard& shard) noexcept {
  try {
    for (auto at = shard.waiting.begin(); at != shard.waiting.end();) {
      bool ready = passed(at->last);
      if (HEDDLE_PLANT(depot_settles_unfinished)) ready = true;
      if (!ready) {
        ++at;
        continue;
      }
      shard.ready.add(at->span.base, at->span.bytes);
      at = shard.waiting.erase(at);
    }
  } catch (const std::bad_alloc&) {
    return;
  }
}

void Depot::put(Shard& shard, WaitingSpans&& spans) noexcept {
  sync::MutexLock lock(shard.mutex);
  shard.waiting.splice(shard.waiting.end(), spans);
  settle(shard);
}

void Depot::give(const std::vector<Span>& spans, StreamUse last) {
  sync::require_host_memory();
  WaitingSpans given;
  for (const Span& span : spans) given.push_back({span, last});
  put(shards_[shard_of(last.lane)], std::move(given));
}

Span Depot::cut_waiting(Shard& shard, WaitingSpans::iterator waiting, std::size_t bytes) {
  const Span taken = {waiting->span.base, bytes};
  waiting->span.base += bytes;
  waiting->span.bytes -= bytes;
  if (waiting->span.bytes == 0) shard.waiting.erase(waiting);
  return taken;
}

Span Depot::take_from(Shard& shard, const Lane& taker, std::size_t bytes) {
  if (std::byte* base = shard.ready.take_away(bytes)) return {base, bytes};
  if (shard.waiting.empty()) return {};
  settle(shard);
  if (std::byte* base = shard.ready.take_away(bytes)) return {base, bytes};
  for (auto at = shard.waiting.begin(); at != shard.waiting.end(); ++at) {
    bool usable = at->last.lane == &taker;
    if (HEDDLE_PLANT(depot_takes_of_any_stream)) usable = true;
    if (usable && at->span.bytes >= bytes) return cut_waiting(shard, at, bytes);
  }
  return {};
}

Span Depot::take_any(const Lane& taker, std::size_t bytes) {
  for (std::size_t i = 0; i < kShards; ++i) {
    Shard& shard = shards_[(shard_of(&taker) + i) % kShards];
    sync::MutexLock lock(shard.mutex);
    const Span span = take_from(shard, taker, bytes);
    if (span.base != nullptr) return span;
  }
  return {};
}

Span Depot::take(const Lane& taker, std::size_t wanted, std::size_t least) {
  Span span;
  if (wanted > least) span = take_any(taker, wanted);
  return span.base != nullptr ? span : take_any(taker, least);
}

StreamUse Depot::find_waiting(std::size_t bytes) {
  for (Shard& shard : shards_) {
    sync::MutexLock lock(shard.mutex);
    settle(shard);
    for (const Waiting& waiting : shard.waiting) {
      const StreamUse& last = waiting.last;
      if (waiting.span.bytes >= bytes && !passed(last) && last.lane->committed() >= last.ticket) return last;
    }
  }
  return {nullptr, Ticket{}};
}

Span Depot::take_after(StreamUse last, std::size_t bytes) {
  Shard& shard = shards_[shard_of(last.lane)];
  sync::MutexLock lock(shard.mutex);
  for (auto at = shard.waiting.begin(); at != shard.waiting.end(); ++at) {
    const bool usable = at->last.lane == last.lane && at->last.ticket <= last.ticket;
    if (usable && at->span.bytes >= bytes) return cut_waiting(shard, at, bytes);
  }
  std::byte* const base = shard.ready.take_away(bytes);  // the ticket has passed meanwhile
  return base != nullptr ? Span{base, bytes} : Span{};
}

void Depot::gather() {
  for (std::size_t i = 1; i < kShards; ++i) {
    Shard& shard = shards_[i];
    WaitingSpans moved;
    {
      sync::MutexLock lock(shard.mutex);
      settle(shard);
      for (const Span& span : shard.ready.spans()) moved.push_back({span, {nullptr, Ticket{}}});
      if (!HEDDLE_PLANT(depot_gathers_in_two_steps)) shard.ready.clear();
    }
    if (HEDDLE_PLANT(depot_gathers_in_two_steps)) {
      sync::MutexLock lock(shard.mutex);
      shard.ready.clear();
    }
    put(shards_[0], std::move(moved));
  }
}

std::vector<Span> Depot::take_segments(const Segments& segments, std::size_t most) {
  gather();
  std::vector<Span> taken;
  std::size_t bytes = 0;
  Shard& shard = shards_[0];
  sync::MutexLock lock(shard.mutex);
  try {
    for (const Span& span : shard.ready.spans()) {
      for (const Span& segment : segments.within(span)) {
        if (bytes >= most) return taken;
        taken.reserve(taken.size() + 1);
        shard.ready.cut(segment.base, segment.bytes);
        taken.push_back(segment);
        bytes += segment.bytes;
      }
    }
  } catch (const std::bad_alloc&) {
    return taken;
  }
  return taken;
}

Depot::Totals Depot::totals() const {
  Totals totals;
  for (const Shard& shard : shards_) {
    sync::MutexLock lock(shard.mutex);
    totals.ready += shard.ready.bytes();
    totals.largest = std::max(totals.largest, shard.ready.largest());
    for (const Waiting& waiting : shard.waiting) totals.waiting += waiting.span.bytes;
  }
  return totals;
}

Depot::Uncommitted Depot::uncommitted(const Lane* but) const {
  Uncommitted found;
  std::size_t largest = 0;
  for (const Shard& shard : shards_) {
    sync::MutexLock lock(shard.mutex);
    for (const auto& [span, last] : shard.waiting) {
      if (last.lane == nullptr || last.lane == but || last.lane->committed() >= last.ticket) continue;
      found.bytes += span.bytes;
      if (span.bytes > largest) found.stream = last.lane;
      largest = std::max(largest, span.bytes);
    }
  }
  return found;
}

}  // namespace HEDDLE_NS
