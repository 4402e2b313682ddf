#include "heddle/memory/segments.hpp"

#include <algorithm>

#include "heddle/sync/fault_point.hpp"

namespace HEDDLE_NS {

Segments::~Segments() {
  std::map<std::byte*, std::size_t> all;
  {
    sync::MutexLock lock(mutex_);
    all.swap(segments_);
  }
  for (const auto& [base, bytes] : all) source_.release(base, bytes);
}

bool Segments::try_obtain(std::size_t bytes, Span* out) {
  void* base = nullptr;
  if (!source_.allocate(bytes, &base).ok()) return false;
  *out = {static_cast<std::byte*>(base), bytes};
  try {
    sync::MutexLock lock(mutex_);
    sync::require_host_memory();
    segments_.emplace(out->base, bytes);
  } catch (...) {
    source_.release(base, bytes);
    throw;
  }
  return true;
}

Span Segments::obtain(std::size_t wanted, std::size_t least) {
  const std::size_t granule = source_.granule();
  const auto whole = [&](std::size_t bytes) { return (bytes + granule - 1) / granule * granule; };
  Span span;
  if (wanted > least && whole(wanted) != whole(least) && try_obtain(whole(wanted), &span)) return span;
  static_cast<void>(try_obtain(whole(least), &span));
  return span;
}

std::vector<Span> Segments::within(Span span) const {
  std::vector<Span> inside;
  sync::MutexLock lock(mutex_);
  for (auto at = segments_.lower_bound(span.base); at != segments_.end(); ++at) {
    if (at->first + at->second > span.base + span.bytes) break;
    inside.push_back({at->first, at->second});
  }
  return inside;
}

void Segments::give_back(Span segment) noexcept {
  {
    sync::MutexLock lock(mutex_);
    segments_.erase(segment.base);
  }
  source_.release(segment.base, segment.bytes);
}

}  // namespace HEDDLE_NS
