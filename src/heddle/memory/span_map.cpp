#include "heddle/memory/span_map.hpp"

#include <iterator>

namespace HEDDLE_NS {

void SpanMap::insert(std::byte* address, std::size_t bytes) {
  by_address_.emplace(address, bytes);
  by_size_.emplace(bytes, address);
  free_bytes_ += bytes;
}

void SpanMap::erase(std::map<std::byte*, std::size_t>::iterator span) {
  free_bytes_ -= span->second;
  by_size_.erase({span->second, span->first});
  by_address_.erase(span);
}

void SpanMap::add_segment(std::byte* base, std::size_t bytes) {
  segments_.emplace(base, bytes);
  insert(base, bytes);
}

std::byte* SpanMap::take(std::size_t bytes) {
  const auto fit = by_size_.lower_bound({bytes, nullptr});
  if (fit == by_size_.end()) return nullptr;
  const auto [size, address] = *fit;
  erase(by_address_.find(address));
  if (size > bytes) insert(address + bytes, size - bytes);
  return address;
}

void SpanMap::give(std::byte* address, std::size_t bytes) {
  auto next = by_address_.lower_bound(address);
  // A neighbour in memory joins only if it belongs to the same segment.
  const auto home = std::prev(segments_.upper_bound(address));
  const std::byte* segment_end = home->first + home->second;
  if (next != by_address_.end() && address + bytes == next->first && next->first < segment_end) {
    bytes += next->second;
    const auto joined = next++;
    erase(joined);
  }
  if (next != by_address_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == address && previous->first >= home->first) {
      address = previous->first;
      bytes += previous->second;
      erase(previous);
    }
  }
  insert(address, bytes);
}

std::vector<SpanMap::Segment> SpanMap::remove_idle_segments() {
  std::vector<Segment> idle;
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const auto span = by_address_.find(segment->first);
    if (span == by_address_.end() || span->second != segment->second) {
      ++segment;
      continue;
    }
    idle.push_back({segment->first, segment->second});
    erase(span);
    segment = segments_.erase(segment);
  }
  return idle;
}

std::vector<SpanMap::Segment> SpanMap::segments() const {
  std::vector<Segment> all;
  all.reserve(segments_.size());
  for (const auto& [base, bytes] : segments_) all.push_back({base, bytes});
  return all;
}

}  // namespace HEDDLE_NS
