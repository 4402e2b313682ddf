#include "heddle/tensor/core.hpp"

#include <span>
#include <utility>

namespace HEDDLE_NS {
namespace {

template <class Step>
bool succeeds(Step step) noexcept {
  try {
    return step();
  } catch (...) {
    return false;
  }
}

constexpr std::uint64_t kDefaultSubsequences = std::uint64_t{1} << 32;

}  // namespace

Core::Core(std::unique_ptr<Device> device, const CoreOptions& options)
    : options_(options),
      device_(std::move(device)),
      default_generators_(options.limits.streams_max + std::size_t{2}),
      pool_(new LanePool(device_, options.limits, options.wait, options.exhaustion, options.on_handler_failure),
            sync::ReapedDelete{}),
      pages_(*device_),
      memory_(std::make_unique<DeviceMemory>(pages_, *pool_, options.memory)) {
  pool_->set_commit_listener(memory_.get());
}

Core::~Core() = default;

GeneratorState* Core::default_generator(Lane& lane) {
  DefaultGenerator& generator = default_generators_.at(lane.id().value);
  if (generator.block == nullptr) generator.block = memory_->allocate(lane, sizeof(GeneratorState));
  auto* state = static_cast<GeneratorState*>(generator.block->data);
  // A list that failed may have taken the upload with it.
  if (generator.uploaded == Ticket{} || !lane.queue().failures().cleared_error_of(generator.uploaded).ok()) {
    const GeneratorState initial{options_.seed, kDefaultSubsequences + lane.id().value, 0};
    generator.uploaded = lane.record_upload(state, std::as_bytes(std::span(&initial, 1)), OperandMemory());
  }
  return state;
}

void Core::keep(std::list<std::shared_ptr<void>>&& memory) noexcept {
  sync::MutexLock lock(kept_mutex_);
  kept_.splice(kept_.end(), memory);
}

bool Core::close(sync::Deadline deadline, sync::Deadline most) noexcept {
  if (closed_) return true;
  // False also where host memory runs out: what could not be committed did not run.
  const bool lanes_done = succeeds([&] { return pool_->close(deadline); });
  const bool handlers_done = succeeds([&] { return pool_->stop_handlers(deadline, most); });
  if (!lanes_done) pool_->abandon();
  if (!lanes_done || !handlers_done) return false;
  closed_ = true;
  pool_->release_ended_lists();
  for (DefaultGenerator& generator : default_generators_) {
    if (generator.block != nullptr) memory_->free(std::exchange(generator.block, nullptr));
  }
  return true;
}

}  // namespace HEDDLE_NS
