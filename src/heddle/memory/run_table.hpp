// RunTable: the runs of slots of one heap, by kind: a size class of what stays, or of what roams (RoamingSites).
//
// Thread safety: none; a heap's.
// Invariant: first(kind) is the lowest run of its kind with a free slot, or one that has none.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/size_class.hpp"
#include "heddle/memory/span_replay.hpp"

namespace HEDDLE_NS {

class RunTable {
 public:
  static constexpr std::size_t kKinds = 2 * kSizeClasses;
  static constexpr std::size_t kind(std::size_t size_class, bool roaming) noexcept {
    return roaming ? kSizeClasses + size_class : size_class;
  }

  // What each run refers to; both outlive it.
  RunTable(Heap* heap, DeviceMemory* memory) noexcept;
  ~RunTable();
  RunTable(const RunTable&) = delete;
  RunTable& operator=(const RunTable&) = delete;

  Run& first(std::size_t kind) noexcept { return *first_[kind]; }
  // The first run of the kind has become full.
  void find_first(std::size_t kind) noexcept;
  // A slot of the run has become free.
  void note_free(Run& run) noexcept {
    Run*& first = first_[run.kind];
    if (run.index < first->index) first = &run;
  }

  // Makes a run of `run_bytes_max` bytes, or of one slot, out of `spans`. False: they hold none. Throws bad_alloc,
  // nothing is changed then.
  bool make(std::size_t kind, std::size_t run_bytes_max, SpanReplay& spans);
  // How many bytes that run would best have.
  std::size_t wanted_bytes(std::size_t kind, std::size_t run_bytes_max) const noexcept;
  // Bytes in runs without a live block.
  std::size_t empty_bytes(bool roaming) const noexcept;
  // Runs without a live block become free spans again.
  void dissolve(bool roaming, SpanReplay& spans) noexcept;

  std::size_t bytes() const noexcept;  // of all slots
  std::size_t free_bytes() const noexcept;
  template <class Visit>
  void visit_blocks(const Visit& visit) const {
    for (const Runs& runs : runs_) {
      for (const auto& run : runs) {
        if (run == nullptr) continue;
        for (int slot = 0; slot < std::popcount(run->all); ++slot) visit(run->blocks[slot]);
      }
    }
  }
  // Aborts when an invariant does not hold.
  void audit() const;

 private:
  using Runs = std::vector<std::unique_ptr<Run>>;  // by Run::index; null: a hole
  std::size_t slots(std::size_t kind, std::size_t run_bytes_max) const noexcept;
  static void destroy(Run& run) noexcept;

  std::array<Run*, kKinds> first_;
  std::array<Runs, kKinds> runs_;
  Run none_;
  Heap* const heap_;
  DeviceMemory* const memory_;
};

}  // namespace HEDDLE_NS
