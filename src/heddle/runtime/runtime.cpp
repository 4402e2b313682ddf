#include "heddle/runtime/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "heddle/base/error.hpp"
#include "heddle/runtime/open_device.hpp"
#include "heddle_build_id.hpp"

namespace HEDDLE_NS {

Runtime::Runtime(const Options& given) {
  const Options options = resolve(given);
  std::unique_ptr<Device> device = open_device(options);
  const std::size_t memory = device->info().memory_bytes;
  if (*options.memory_limit > memory) {
    throw InvalidArgument(fmt::format("the memory limit is {} bytes, the {} device has {}; allowed: 1 to {}",
                                      *options.memory_limit, device->info().backend, memory, memory));
  }
  device->preload().raise();
  core_ = std::make_shared<Core>(std::move(device), CoreOptions{options.limits, *options.memory_limit, *options.wait,
                                                                options.exhaustion, options.seed});
}

Runtime::~Runtime() {
  if (!close()) {
    // Work that does not end may still touch the memory: it is kept for the life of the process rather than freed under
    // it.
    core_->keep_forever(core_);
    return;
  }
  core_->memory().retire(core_);
}

const DeviceInfo& Runtime::device_info() const noexcept { return core_->device().info(); }

void Runtime::commit() { Recording(core_->pool()).lane().commit(); }

bool Runtime::try_commit() { return Recording(core_->pool()).lane().try_commit(); }

void Runtime::synchronize() { Recording(core_->pool()).lane().synchronize(); }

bool Runtime::query() { return Recording(core_->pool()).lane().idle(); }

StreamId Runtime::stream() { return Recording(core_->pool()).lane().id(); }

Lease Runtime::lease() { return Lease(core_->pool()); }

MemoryStatistics Runtime::memory_statistics() const { return core_->memory().statistics(); }

std::size_t Runtime::release_cached() { return core_->memory().release_cached(); }

KernelCounts Runtime::executed() const { return core_->device().executed(); }

std::size_t Runtime::streams() const { return core_->pool()->lanes(); }

bool Runtime::close(std::chrono::milliseconds deadline) noexcept {
  try {
    return core_->close(sync::Deadline::after(deadline));
  } catch (...) {
    return false;  // host memory ran out while closing a list: its work did not run
  }
}

const char* build_id() noexcept { return HEDDLE_BUILD_ID; }

}  // namespace HEDDLE_NS
