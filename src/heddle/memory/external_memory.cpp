#include "heddle/memory/external_memory.hpp"

#include "heddle/stream/lane.hpp"
#include "heddle/sync/lock_checks.hpp"
#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

struct ExternalMemory::External : Block {
  // Set by the thread that registers the handler which is to end it, and by that handler: the second goes on.
  sync::Atomic<bool> let_go{false};
  std::function<void()> deleter;
};

Block* ExternalMemory::adopt(void* data, std::size_t bytes, std::function<void()> deleter) {
  auto block = std::make_unique<External>();
  block->data = data;
  block->set_requested(bytes);
  block->run = &run_;
  block->is_external = true;
  block->deleter = std::move(deleter);
  block->references.store(1, sync::relaxed);
  adopted_.fetch_add(1, sync::relaxed);
  return block.release();
}

void ExternalMemory::free(Block* block) noexcept { free(static_cast<External*>(block)); }

// One stream after the other: after the last of them, the memory is the user's again.
void ExternalMemory::free(External* block) noexcept {
  if (block->residency.has_foreign_uses() && !block->residency.settle()) {
    if (ends_after_use(block)) return;
    // No handler could be registered (out of host memory, no thread, or a shutdown has stopped the handlers). If it is
    // too late to retry, every stream has finished, whatever the residency says.
    if (!block->residency.settle() && deferred_.post(block)) return;
  }
  if (block->deleter) {
    sync::assert_no_locks_held("the deleter of external memory");
    block->deleter();
  }
  delete block;
  const std::shared_ptr<FreeLedger> ledger = ledger_;
  ledger->count(0, 0);
  static_cast<void>(ledger->settle(nullptr));
}

bool ExternalMemory::ends_after_use(External* block) noexcept {
  const StreamUse use = block->residency.first_use();
  if (use.lane == nullptr) return false;  // it has just ended
  block->let_go.store(false, sync::relaxed);
  const auto end = [this, block](const Status& status) {
    // The registering thread is still using the stream, which this free may destroy; let that thread end the block.
    if (!block->let_go.exchange(true, sync::acq_rel)) return;
    // On kAbandoned the streams are still running and the memory must stay; defer it. Such a shutdown closes nothing.
    if (status.kind() != ErrorKind::kAbandoned || !deferred_.post(block)) free(block);
  };
  try {
    if (!use.lane->on_complete(use.ticket, end)) return HEDDLE_PLANT(dropped_memory_trusts_handlers);
  } catch (...) {
    return false;
  }
  return !block->let_go.exchange(true, sync::acq_rel);
}

void ExternalMemory::end(Block* chain) noexcept {
  while (chain != nullptr) free(static_cast<External*>(std::exchange(chain, chain->next())));
}

}  // namespace HEDDLE_NS
