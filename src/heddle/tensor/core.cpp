#include "heddle/tensor/core.hpp"

#include <cstring>
#include <utility>

namespace HEDDLE_NS {
namespace {

constexpr std::uint64_t kDefaultSubsequences = std::uint64_t{1} << 32;

}  // namespace

Core::Core(std::unique_ptr<Device> device, const CoreOptions& options)
    : options_(options),
      device_(std::move(device)),
      default_generators_(options.limits.streams_max + std::size_t{2}, nullptr),
      pool_(std::make_shared<LanePool>(device_, options.limits, options.wait, options.exhaustion)),
      memory_(std::make_unique<DeviceMemory>(
          *device_, options.memory_limit != 0 ? options.memory_limit : device_->info().memory_bytes)) {}

Core::~Core() = default;

GeneratorState* Core::default_generator(Lane& lane) {
  Block*& block = default_generators_.at(lane.id().value);
  if (block == nullptr) {
    block = memory_->allocate(lane, sizeof(GeneratorState));
    const GeneratorState initial{options_.seed, kDefaultSubsequences + lane.id().value, 0};
    std::byte* staged = lane.stage(sizeof(initial));
    std::memcpy(staged, &initial, sizeof(initial));
    lane.append(KernelId::kCopyBytes, CopyBytesArgs{block->data, staged, sizeof(initial)});
  }
  return static_cast<GeneratorState*>(block->data);
}

bool Core::close(sync::Deadline deadline) {
  if (closed_) return true;
  if (!pool_->close(deadline)) return false;
  closed_ = true;
  for (Block*& block : default_generators_) {
    if (block != nullptr) memory_->free(std::exchange(block, nullptr));
  }
  return true;
}

}  // namespace HEDDLE_NS
