#include "heddle/memory_resource.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/memory/buffer.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/tensor/core.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kAlignment = 256;

void require_alignment(std::size_t alignment) {
  if (alignment <= kAlignment) return;
  throw InvalidArgument(
      fmt::format("an alignment of {} bytes was asked for; allowed: up to {}", alignment, kAlignment));
}

// The blocks that were handed out as pointers.
class PointerTable {
 public:
  void add(Buffer buffer) {
    void* const pointer = buffer.data();
    Shard& shard = shard_of(pointer);
    sync::MutexLock lock(shard.mutex);
    shard.buffers.emplace(pointer, std::move(buffer));
  }

  // The block that begins there, no longer in the table. Throws InvalidArgument, naming `call`: the pointer did not
  // come from here, or was given back already.
  Buffer remove(void* pointer, const char* call) {
    Shard& shard = shard_of(pointer);
    sync::MutexLock lock(shard.mutex);
    const auto found = shard.buffers.find(pointer);
    if (found == shard.buffers.end()) {
      throw InvalidArgument(
          fmt::format("{}: {} was not allocated by this resource, or was given back before; give back each pointer "
                      "once, to the resource that it came from",
                      call, pointer));
    }
    Buffer buffer = std::move(found->second);
    shard.buffers.erase(found);
    return buffer;
  }

 private:
  static constexpr std::size_t kShards = 16;
  struct Shard {
    sync::Mutex mutex{Rank::kLeaf};
    std::unordered_map<void*, Buffer> buffers HEDDLE_GUARDED_BY(mutex);
  };
  Shard& shard_of(void* pointer) noexcept {
    return shards_[reinterpret_cast<std::uintptr_t>(pointer) / kAlignment % kShards];
  }

  std::array<Shard, kShards> shards_;
};

}  // namespace

struct MemoryResource::State {
  State(std::shared_ptr<LanePool> its_pool, DeviceMemory& its_memory) : pool(std::move(its_pool)), memory(its_memory) {}

  const std::shared_ptr<LanePool> pool;
  DeviceMemory& memory;
  PointerTable table;
};

MemoryResource::MemoryResource(const std::shared_ptr<LanePool>& pool, DeviceMemory& memory)
    : state_(std::make_unique<State>(pool, memory)) {}

MemoryResource::MemoryResource(Core& core) : MemoryResource(core.pool(), core.memory()) {}

MemoryResource::~MemoryResource() = default;

void* MemoryResource::do_allocate(std::size_t bytes, std::size_t alignment) {
  require_alignment(alignment);
  Buffer buffer = Buffer::create(state_->pool, state_->memory, bytes);
  void* const pointer = buffer.data();
  state_->table.add(std::move(buffer));
  return pointer;
}

void MemoryResource::do_deallocate(void* pointer, std::size_t, std::size_t) {
  state_->table.remove(pointer, "deallocate");
}

}  // namespace HEDDLE_NS
