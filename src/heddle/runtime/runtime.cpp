#include "heddle/runtime.hpp"

#include <memory>
#include <utility>

#include "heddle/runtime/lifecycle.hpp"
#include "heddle/runtime/open_device.hpp"
#include "heddle/stream/stream_access.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/version.hpp"
#include "heddle_build_id.hpp"

namespace HEDDLE_NS {

Runtime::Runtime(const Options& given) {
  sync::require_not_forked();
  sync::NoWaiting::refuse("opening a runtime");
  const Options options = resolve(given);
  std::unique_ptr<Device> device = open_device(options);
  const CoreOptions settings = core_options(options, device->info());
  device->preload().raise();
  lifecycle_ = Lifecycle::open(std::shared_ptr<Core>(new Core(std::move(device), settings), sync::ReapedDelete{}),
                               kernel_library(options));
}

Runtime::~Runtime() {
  if (!sync::in_forked_child()) lifecycle_->end();
}

const DeviceInfo& Runtime::device_info() const { return core().device().info(); }

Core& Runtime::core() const {
  sync::require_not_forked();
  return lifecycle_->core();
}

Stream Runtime::stream() const { return StreamAccess::of_this_thread(core().pool()); }

HandlerStatistics Runtime::handler_statistics() const { return core().pool()->handler_statistics(); }

Lease Runtime::lease() { return Lease(core().pool()); }

std::optional<Lease> Runtime::try_lease() { return Lease::try_take(core().pool()); }

MemoryStatistics Runtime::memory_statistics() const { return core().memory().statistics(); }

std::size_t Runtime::release_cached() { return core().memory().release_cached(); }

std::vector<KernelCount> Runtime::executed() const {
  std::vector<KernelCount> result;
  const KernelCounts counts = core().device().executed();
  for (std::size_t kernel = 0; kernel < counts.size(); ++kernel) {
    if (counts[kernel] != 0) result.push_back({kernel_name(static_cast<KernelId>(kernel)), counts[kernel]});
  }
  return result;
}

std::size_t Runtime::streams() const { return core().pool()->lanes(); }

// Each holds the lifecycle: at process exit a static Runtime may be destroyed while another thread is in here.
ShutdownReport Runtime::shutdown(std::chrono::milliseconds deadline) {
  const std::shared_ptr<Lifecycle> lifecycle = lifecycle_;
  return lifecycle->shutdown(sync::Deadline::after(deadline));
}

ShutdownReport Runtime::shutdown() {
  const std::shared_ptr<Lifecycle> lifecycle = lifecycle_;
  return lifecycle->shutdown(Lifecycle::default_deadline());
}

void Runtime::request_shutdown() {
  const std::shared_ptr<Lifecycle> lifecycle = lifecycle_;
  lifecycle->request_shutdown();
}

RuntimesLeft runtimes_left() noexcept { return Lifecycle::left(); }

const char* build_id() noexcept { return HEDDLE_BUILD_ID; }

}  // namespace HEDDLE_NS
