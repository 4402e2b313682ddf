#include "heddle/memory/depot.hpp"

#include <algorithm>
#include <utility>

#include "heddle/stream/lane.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {
namespace {

bool passed(const StreamUse& use) noexcept { return use.lane == nullptr || use.lane->completed() >= use.ticket; }

std::size_t shard_of(const Lane* lane) noexcept { return lane == nullptr ? 0 : lane->id().value % Depot::kShards; }

}  // namespace

void Depot::settle(Shard& shard) {
  auto& waiting = shard.waiting;
  for (std::size_t i = 0; i < waiting.size();) {
    if (!passed(waiting[i].last) && !HEDDLE_PLANT(depot_settles_unfinished)) {
      ++i;
      continue;
    }
    shard.ready.add(waiting[i].span.base, waiting[i].span.bytes);
    waiting[i] = waiting.back();
    waiting.pop_back();
  }
}

void Depot::give(const std::vector<Span>& spans, StreamUse last) {
  Shard& shard = shards_[shard_of(last.lane)];
  sync::MutexLock lock(shard.mutex);
  shard.waiting.reserve(shard.waiting.size() + spans.size());
  for (const Span& span : spans) shard.waiting.push_back({span, last});
  settle(shard);
}

Depot::Waiting Depot::cut_waiting(Shard& shard, std::size_t index, std::size_t bytes) {
  Waiting& waiting = shard.waiting[index];
  Waiting taken = waiting;
  taken.span.bytes = bytes;
  waiting.span.base += bytes;
  waiting.span.bytes -= bytes;
  if (waiting.span.bytes == 0) {
    waiting = shard.waiting.back();
    shard.waiting.pop_back();
  }
  return taken;
}

Span Depot::take_from(Shard& shard, const Lane& taker, std::size_t bytes) {
  if (std::byte* base = shard.ready.take_away(bytes)) return {base, bytes};
  if (shard.waiting.empty()) return {};
  settle(shard);
  if (std::byte* base = shard.ready.take_away(bytes)) return {base, bytes};
  for (std::size_t i = 0; i < shard.waiting.size(); ++i) {
    const Waiting& waiting = shard.waiting[i];
    if ((waiting.last.lane == &taker || HEDDLE_PLANT(depot_takes_of_any_stream)) && waiting.span.bytes >= bytes)
      return cut_waiting(shard, i, bytes).span;
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

Depot::Waiting Depot::take_waiting(std::size_t bytes) {
  for (Shard& shard : shards_) {
    sync::MutexLock lock(shard.mutex);
    settle(shard);
    for (std::size_t i = 0; i < shard.waiting.size(); ++i) {
      const Waiting& waiting = shard.waiting[i];
      if (waiting.span.bytes < bytes || waiting.last.lane->committed() < waiting.last.ticket) continue;
      return cut_waiting(shard, i, bytes);
    }
  }
  return {};
}

void Depot::gather() {
  for (std::size_t i = 1; i < kShards; ++i) {
    std::vector<Span> spans;
    {
      sync::MutexLock lock(shards_[i].mutex);
      settle(shards_[i]);
      spans = shards_[i].ready.spans();
      if (!HEDDLE_PLANT(depot_gathers_in_two_steps)) shards_[i].ready.clear();
    }
    if (HEDDLE_PLANT(depot_gathers_in_two_steps)) {
      sync::MutexLock lock(shards_[i].mutex);
      shards_[i].ready.clear();
    }
    if (!spans.empty()) give(spans, {nullptr, Ticket{}});
  }
  sync::MutexLock lock(shards_[0].mutex);
  settle(shards_[0]);
}

std::vector<Span> Depot::take_segments(const Segments& segments, std::size_t most) {
  gather();
  std::vector<Span> taken;
  std::size_t bytes = 0;
  Shard& shard = shards_[0];
  sync::MutexLock lock(shard.mutex);
  for (const Span& span : shard.ready.spans()) {
    for (const Span& segment : segments.within(span)) {
      if (bytes >= most) return taken;
      taken.push_back(segment);
      shard.ready.cut(segment.base, segment.bytes);
      bytes += segment.bytes;
    }
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

}  // namespace HEDDLE_NS
