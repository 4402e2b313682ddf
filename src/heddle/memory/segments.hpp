// Segments: which segments were obtained from a page source, and where they lie.
//
// Thread safety: all members. Locks: mutex_ (kPageSource), never held around a call of the source.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/page_source.hpp"
#include "heddle/memory/span_tree.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS {

class Segments {
 public:
  explicit Segments(PageSource& source) noexcept : source_(source) {}
  ~Segments();  // gives all of them back
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;

  // A segment of `wanted` bytes, or where that is refused of `least`, both rounded up; an empty span where that is too.
  Span obtain(std::size_t wanted, std::size_t least);
  // The segments that lie wholly within `span`.
  std::vector<Span> within(Span span) const;
  // Gives one back, which is the caller's and in no use.
  void give_back(Span segment) noexcept;

 private:
  bool try_obtain(std::size_t bytes, Span* out);

  PageSource& source_;
  mutable sync::Mutex mutex_{Rank::kPageSource};
  std::map<std::byte*, std::size_t> segments_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS
