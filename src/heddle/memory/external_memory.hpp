// ExternalMemory: blocks over memory of the user's. Each is ended (its deleter called, the block destroyed) once
// nothing refers to it and no stream uses it any more.
//
// A block that streams still use when it is dropped is ended after the first of them by the handler thread, which then
// looks at the next. Where no handler can be registered, it is deferred: commits and the close try it again.
//
// Thread safety: all members, from any thread. Invariant: a block is ended once, by the thread that dropped it, by one
// handler, or by one that tries deferred ones again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/block.hpp"
#include "heddle/memory/deferred_frees.hpp"
#include "heddle/memory/free_ledger.hpp"

namespace HEDDLE_NS {

class ExternalMemory {
 public:
  // `memory`: that blocks refer to. `ledger`: counts those that were ended.
  ExternalMemory(DeviceMemory* memory, std::shared_ptr<FreeLedger> ledger) : ledger_(std::move(ledger)) {
    run_.memory = memory;
  }
  ExternalMemory(const ExternalMemory&) = delete;
  ExternalMemory& operator=(const ExternalMemory&) = delete;

  // With one reference. Throws bad_alloc, and `deleter` is not called then.
  Block* adopt(void* data, std::size_t bytes, std::function<void()> deleter);
  // Ends a block without references, now or later. REQUIRES: posted (kBlockPosted).
  void free(Block* block) noexcept;
  // Tries deferred blocks again.
  void retry() noexcept {
    if (!deferred_.empty()) [[unlikely]]
      end(deferred_.take_all());
  }
  // No stream uses anything any more, so nothing is deferred from now on.
  void close() noexcept { end(deferred_.close()); }
  // How many blocks were ever adopted.
  std::uint64_t adopted() const noexcept { return adopted_.load(sync::relaxed); }

 private:
  struct External;
  void free(External* block) noexcept;
  // True when the handler thread will end it, after the first stream that still uses it.
  bool ends_after_use(External* block) noexcept;
  void end(Block* chain) noexcept;

  const std::shared_ptr<FreeLedger> ledger_;
  Run run_;  // what the blocks refer to
  DeferredFrees deferred_;
  sync::Atomic<std::uint64_t> adopted_{0};
};

}  // namespace HEDDLE_NS
