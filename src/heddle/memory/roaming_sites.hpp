// Which allocations of a loop roam: their blocks are given back by other threads, at times that are not the loop's.
//
// A site is "the n-th allocation since the last commit, of this size class". What happened to the blocks of a site
// before is what will happen to the next: results of a serving loop leave the thread each time round, its temporaries
// never do. Roaming blocks are kept apart from the others, so that the addresses of the others repeat whatever becomes
// of the results. A wrong guess costs nothing but a different address.
// Thread safety: none; a heap's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

class RoamingSites {
 public:
  using Site = std::uint16_t;
  static constexpr std::size_t kSites = 1024;

  // Of an allocation within its list. Kept as a hash, which advances by one addition.
  class Ordinal {
   public:
    void advance() noexcept { hash_ += 0x9e3779b1; }

   private:
    friend class RoamingSites;
    std::uint32_t hash_ = 0;
  };
  static Site site(Ordinal ordinal, std::size_t size_class) noexcept {
    return static_cast<Site>((ordinal.hash_ ^ (static_cast<std::uint32_t>(size_class) * 0x85ebca6bU)) >> 22);
  }
  bool roams(Site site) const noexcept { return counts_[site] != 0; }
  // A block of this site was given back elsewhere.
  void left(Site site) noexcept { counts_[site] = kSure; }
  // A block of this site that was kept apart was given back by the holder.
  void stayed(Site site) noexcept {
    if (counts_[site] != 0) --counts_[site];
  }

 private:
  static constexpr std::uint8_t kSure = 3;
  std::array<std::uint8_t, kSites> counts_{};
};

}  // namespace HEDDLE_NS
