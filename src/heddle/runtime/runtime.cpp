#include "heddle/runtime/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>

#include "heddle/base/error.hpp"
#include "heddle/runtime/open_device.hpp"
#include "heddle/stream/stream_calls.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle_build_id.hpp"

namespace HEDDLE_NS {

Runtime::Runtime(const Options& given) {
  sync::require_not_forked();
  sync::NoWaiting::refuse("opening a runtime");
  const Options options = resolve(given);
  std::unique_ptr<Device> device = open_device(options);
  const std::size_t memory = device->info().memory_bytes;
  const std::size_t granule = device->info().segment_granule;
  if (memory == 0 && *options.memory_limit == 0) {
    throw Unsupported(
        fmt::format("the size of the {} device's memory cannot be read here (no /proc/meminfo, sysinfo refused); set "
                    "Options::memory_limit or HEDDLE_MEMORY_LIMIT",
                    device->info().backend));
  }
  const std::size_t most = memory != 0 ? memory : std::numeric_limits<std::ptrdiff_t>::max();  // not known: believed
  if (*options.memory_limit != 0 && (*options.memory_limit < granule || *options.memory_limit > most)) {
    const std::string has = memory != 0 ? fmt::format("has {}", memory) : "does not say how much it has";
    const std::string allowed =
        memory != 0 ? fmt::format("{} to {}", granule, memory) : fmt::format("{} or more", granule);
    throw InvalidArgument(
        fmt::format("the memory limit is {} bytes, the {} device {} and gives no less than {}; allowed: {}",
                    *options.memory_limit, device->info().backend, has, granule, allowed));
  }
  const std::uint64_t limit = *options.memory_limit != 0 ? *options.memory_limit : memory;
  const Budget marks(limit, *options.memory_high, *options.memory_low);
  if (marks.low() > marks.high() || marks.high() > limit) {
    throw InvalidArgument(fmt::format(
        "idle memory is to be given back from {} bytes (high, HEDDLE_MEMORY_HIGH) down to {} (low, HEDDLE_MEMORY_LOW) "
        "of a limit of {}; allowed: low <= high <= limit",
        marks.high(), marks.low(), limit));
  }
  device->preload().raise();
  const CoreOptions core_options{options.limits, *options.memory_limit,      *options.wait, options.exhaustion,
                                 options.seed,   options.on_handler_failure, marks.high(),  marks.low()};
  lifecycle_ = Lifecycle::open(std::shared_ptr<Core>(new Core(std::move(device), core_options), sync::ReapedDelete{}),
                               kernel_library(options));
}

Runtime::~Runtime() {
  if (!sync::in_forked_child()) lifecycle_->end();
}

const DeviceInfo& Runtime::device_info() const { return core().device().info(); }

void Runtime::commit() { Recording(core().pool()).lane().commit(); }

bool Runtime::try_commit() {
  Recording recording(core().pool(), Recording::Tries{});
  return !recording || recording.lane().try_commit();
}

void Runtime::synchronize() { Recording(core().pool()).lane().synchronize(); }

bool Runtime::query() {
  Recording recording(core().pool(), Recording::Tries{});
  return !recording || recording.lane().idle();
}

StreamId Runtime::stream() { return Recording(core().pool()).lane().id(); }

Event Runtime::record_event() {
  Recording recording(core().pool());
  return stream_calls::record_event(core().pool(), recording.lane());
}

void Runtime::wait(const Event& event) {
  Recording recording(core().pool());
  stream_calls::wait(core().pool(), recording.lane(), event);
}

void Runtime::on_complete(CompletionHandler handler, HandlerOptions options) {
  Recording recording(core().pool());
  stream_calls::on_complete(core().pool(), recording.lane(), std::move(handler), std::move(options));
}

bool Runtime::try_on_complete(CompletionHandler handler, HandlerOptions options) {
  Recording recording(core().pool(), Recording::Tries{});
  return recording &&
         stream_calls::try_on_complete(core().pool(), recording.lane(), std::move(handler), std::move(options));
}

HandlerStatistics Runtime::handler_statistics() const { return core().pool()->handler_statistics(); }

Lease Runtime::lease() { return Lease(core().pool()); }

std::optional<Lease> Runtime::try_lease() { return Lease::try_take(core().pool()); }

MemoryStatistics Runtime::memory_statistics() const { return core().memory().statistics(); }

std::size_t Runtime::release_cached() { return core().memory().release_cached(); }

KernelCounts Runtime::executed() const { return core().device().executed(); }

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
