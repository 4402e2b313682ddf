#include "heddle/memory/live_ranges.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <tuple>

#include "heddle/base/check.hpp"

namespace HEDDLE_NS {

void LiveRanges::add(const Block& block) noexcept {
  const auto* const begin = static_cast<const std::byte*>(block.data);
  const std::size_t bytes = std::max<std::size_t>(block.requested(), 1);
  sync::MutexLock lock(mutex_);
  Ranges::iterator at;
  bool added = false;
  try {
    std::tie(at, added) = bytes_.emplace(begin, bytes);
  } catch (const std::bad_alloc&) {
    ++unknown_;  // without host memory a block is not watched; it is no less good for that
    return;
  }
  HEDDLE_CHECK(added, "a block was given out that begins where a live one does");
  const auto next = std::next(at);
  HEDDLE_CHECK(next == bytes_.end() || begin + bytes <= next->first,
               "a block was given out that reaches into a live one");
  HEDDLE_CHECK(at == bytes_.begin() || std::prev(at)->first + std::prev(at)->second <= begin,
               "a block was given out that begins within a live one");
}

void LiveRanges::remove(const Block& block) noexcept {
  if (block.is_external) return;
  sync::MutexLock lock(mutex_);
  if (bytes_.erase(static_cast<const std::byte*>(block.data)) == 1) return;
  HEDDLE_CHECK(unknown_ > 0, "a block was freed twice, or its handle is stale: it is not live");
  --unknown_;
}

}  // namespace HEDDLE_NS
