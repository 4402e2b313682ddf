// Core: everything of one open device that tensors and operations need. Owned by the Runtime and by every tensor's
// block that outlives it (see close()).
//
// Thread safety: all members.
#pragma once

#include <list>
#include <memory>
#include <utility>
#include <vector>

#include "heddle/base/pool_limits.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/stream/recording.hpp"

namespace HEDDLE_NS {

// Made by core_options() (runtime/open_device.hpp), which decides what users leave open.
struct CoreOptions {
  PoolLimits limits{};
  MemoryOptions memory{};
  WaitPolicy wait = WaitPolicy::kAdaptive;
  ExhaustionPolicy exhaustion = ExhaustionPolicy::kGrowThenWait;
  std::uint64_t seed = 0;  // of the default generators
  HandlerFailureHook on_handler_failure{};
};

class Core final : public sync::Reapable {
 public:
  Core(std::unique_ptr<Device> device, const CoreOptions& options);
  ~Core();  // joins the device's threads
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  Device& device() const noexcept { return *device_; }
  const std::shared_ptr<LanePool>& pool() noexcept { return pool_; }
  DeviceMemory& memory() noexcept { return *memory_; }
  // The state of the default generator of `lane` (seed: the core's; subsequence: 2^32 + the stream's id), created at
  // first use. REQUIRES: the caller holds lane's lease; only commands of that lane use it.
  GeneratorState* default_generator(Lane& lane);

  // Closes the pool and frees what the core itself holds on the device. False: work is still running, or a handler has
  // not returned; whoever waits for that work has then got Closed. Telling abandoned handlers takes no longer than
  // `most`. Called by one thread.
  bool close(sync::Deadline deadline, sync::Deadline most = sync::Deadline::never()) noexcept;
  // Makes this object its own last owner: for a close that timed out, after which the device may still use the memory.
  void keep_forever(std::shared_ptr<Core> self) noexcept { self_ = std::move(self); }
  // Host memory that the device may still write although its owner goes; for the life of this object.
  void keep(std::list<std::shared_ptr<void>>&& memory) noexcept;

 private:
  void reap() noexcept override { delete this; }

  const CoreOptions options_;
  const std::shared_ptr<Device> device_;
  // By stream id; an entry belongs to the holder of that stream's lease.
  struct DefaultGenerator {
    Block* block = nullptr;
    Ticket uploaded;
  };
  std::vector<DefaultGenerator> default_generators_;
  std::shared_ptr<LanePool> pool_;
  DevicePages pages_;
  std::unique_ptr<DeviceMemory> memory_;
  bool closed_ = false;
  sync::Mutex kept_mutex_{Rank::kLeaf};
  std::list<std::shared_ptr<void>> kept_ HEDDLE_GUARDED_BY(kept_mutex_);
  std::shared_ptr<Core> self_;
};

}  // namespace HEDDLE_NS
