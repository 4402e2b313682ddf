#include "heddle/memory/buffer.hpp"

#include "heddle/base/prefetch.hpp"
#include "heddle/stream/recording.hpp"

namespace HEDDLE_NS {

// create() and release() are the fast path as a whole; a test looks for locked instructions in them (fast_path_test).
Buffer Buffer::create(const std::shared_ptr<LanePool>& pool, DeviceMemory& memory, std::size_t bytes) {
  Block* const block = memory.take_here(bytes);
  return block != nullptr ? Buffer(block) : create_slowly(pool, memory, bytes);
}

[[gnu::noinline]] Buffer Buffer::create_slowly(const std::shared_ptr<LanePool>& pool, DeviceMemory& memory,
                                               std::size_t bytes) {
  Recording recording(pool);
  return Buffer(memory.allocate(recording.lane(), bytes));
}

void Buffer::share(Block* block) noexcept { block->references.fetch_add(1, sync::relaxed); }

void Buffer::release(Block* block) noexcept {
  prefetch_for_write(block);  // where another stream's thread wrote it last
  // The last reference needs no read-modify-write: nobody else can copy it. Acquire pairs with the others' release.
  if (block->references.load(sync::acquire) == 1) [[likely]] {
    block->run->memory->free(block);
  } else {
    release_shared(block);
  }
}

[[gnu::noinline]] void Buffer::release_shared(Block* block) noexcept {
  if (block->references.fetch_sub(1, sync::acq_rel) != 1) return;
  block->references.store(1, sync::relaxed);  // as free() wants it; nobody else can see it
  block->run->memory->free(block);
}

}  // namespace HEDDLE_NS
