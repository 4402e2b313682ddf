#include "heddle/memory/memory_resource.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "heddle/base/error.hpp"

namespace HEDDLE_NS {
namespace {

constexpr std::size_t kAlignment = 256;

void require_alignment(std::size_t alignment) {
  if (alignment <= kAlignment) return;
  throw InvalidArgument(
      fmt::format("an alignment of {} bytes was asked for; allowed: up to {}", alignment, kAlignment));
}

}  // namespace

PointerTable::Shard& PointerTable::shard_of(void* pointer) noexcept {
  return shards_[reinterpret_cast<std::uintptr_t>(pointer) / kAlignment % kShards];
}

void PointerTable::add(Buffer buffer) {
  void* const pointer = buffer.data();
  Shard& shard = shard_of(pointer);
  sync::MutexLock lock(shard.mutex);
  shard.buffers.emplace(pointer, std::move(buffer));
}

Buffer PointerTable::remove(void* pointer, const char* call) {
  Shard& shard = shard_of(pointer);
  sync::MutexLock lock(shard.mutex);
  const auto found = shard.buffers.find(pointer);
  if (found == shard.buffers.end()) {
    throw InvalidArgument(
        fmt::format("{}: {} was not allocated by this resource, or was given back before; give back each pointer once, "
                    "to the resource that it came from",
                    call, pointer));
  }
  Buffer buffer = std::move(found->second);
  shard.buffers.erase(found);
  return buffer;
}

void* MemoryResource::do_allocate(std::size_t bytes, std::size_t alignment) {
  require_alignment(alignment);
  Buffer buffer = Buffer::create(pool_, memory_, bytes);
  void* const pointer = buffer.data();
  table_.add(std::move(buffer));
  return pointer;
}

void MemoryResource::do_deallocate(void* pointer, std::size_t, std::size_t) { table_.remove(pointer, "deallocate"); }

}  // namespace HEDDLE_NS
