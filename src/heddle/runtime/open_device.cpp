#include "heddle/runtime/open_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "heddle/backends/cpu/open.hpp"
#include "heddle/backends/cuda/open.hpp"
#include "heddle/backends/sim/open.hpp"
#include "heddle/base/environment.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS {
namespace {

template <class Value, std::size_t Count>
Value choose(const char* variable, const std::pair<std::string_view, Value> (&choices)[Count], Value otherwise) {
  const auto text = environment_value(variable);
  if (!text) return otherwise;
  std::string allowed;
  for (const auto& [name, value] : choices) {
    if (*text == name) return value;
    allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", name);
  }
  throw InvalidArgument(fmt::format("{} is '{}'; allowed: {}", variable, *text, allowed));
}

constexpr unsigned kMostWorkers = 1024;

constexpr std::pair<std::string_view, CpuKernels> kKernelChoices[] = {{"best", CpuKernels::kBest},
                                                                      {"portable", CpuKernels::kPortable}};
constexpr std::pair<std::string_view, CudaMatmul> kMatmulChoices[] = {{"full", CudaMatmul::kFull},
                                                                      {"tf32", CudaMatmul::kTf32}};
constexpr std::pair<std::string_view, CudaPages> kPagesChoices[] = {
    {"virtual", CudaPages::kVirtual}, {"pool", CudaPages::kPool}, {"plain", CudaPages::kPlain}};
constexpr std::pair<std::string_view, WaitPolicy> kWaitChoices[] = {
    {"spin", WaitPolicy::kSpin}, {"adaptive", WaitPolicy::kAdaptive}, {"block", WaitPolicy::kBlock}};

// The index of "cuda" or "cuda:N"; none where the name is neither.
std::optional<unsigned> cuda_index(std::string_view name) {
  if (name == "cuda") return 0;
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return static_cast<unsigned>(parse_count("the number after cuda:", name.substr(kPrefix.size()), 0, 1023));
}

PoolLimits pool_limits(const Options& options) { return {options.limits, *options.streams, *options.streams_max}; }

// What the device lends at most, and between which marks idle memory goes back to it.
MemoryOptions memory_options(const Options& options, const DeviceInfo& device) {
  const std::size_t memory = device.memory_bytes;
  const std::size_t granule = device.segment_granule;
  const std::uint64_t asked = *options.memory_limit;
  if (memory == 0 && asked == 0) {
    throw Unsupported(
        fmt::format("the size of the {} device's memory cannot be read here (no /proc/meminfo, sysinfo refused); set "
                    "Options::memory_limit or HEDDLE_MEMORY_LIMIT",
                    device.backend));
  }
  const std::size_t most = memory != 0 ? memory : std::numeric_limits<std::ptrdiff_t>::max();  // not known: believed
  if (asked != 0 && (asked < granule || asked > most)) {
    const std::string has = memory != 0 ? fmt::format("has {}", memory) : "does not say how much it has";
    const std::string allowed =
        memory != 0 ? fmt::format("{} to {}", granule, memory) : fmt::format("{} or more", granule);
    throw InvalidArgument(
        fmt::format("the memory limit is {} bytes, the {} device {} and gives no less than {}; allowed: {}", asked,
                    device.backend, has, granule, allowed));
  }
  const std::uint64_t limit = asked != 0 ? asked : memory;
  const MemoryMarks marks = memory_marks(limit, *options.memory_high, *options.memory_low);
  if (marks.low > marks.high || marks.high > limit) {
    throw InvalidArgument(fmt::format(
        "idle memory is to be given back from {} bytes (high, HEDDLE_MEMORY_HIGH) down to {} (low, HEDDLE_MEMORY_LOW) "
        "of a limit of {}; allowed: low <= high <= limit",
        marks.high, marks.low, limit));
  }
  return {.limit = limit, .high = marks.high, .low = marks.low};
}

}  // namespace

Options resolve(Options options) {
  warn_of_unknown_environment();
  if (!options.device) options.device = environment_value("HEDDLE_DEVICE").value_or("cpu");
  if (!options.cpu_kernels) options.cpu_kernels = choose("HEDDLE_CPU_KERNELS", kKernelChoices, CpuKernels::kBest);
  if (!options.cuda_matmul) options.cuda_matmul = choose("HEDDLE_CUDA_MATMUL", kMatmulChoices, CudaMatmul::kFull);
  if (!options.cuda_pages) options.cuda_pages = choose("HEDDLE_CUDA_PAGES", kPagesChoices, CudaPages::kVirtual);
  if (!options.wait) options.wait = choose("HEDDLE_WAIT", kWaitChoices, WaitPolicy::kAdaptive);
  if (!options.cpu_workers) {
    options.cpu_workers = static_cast<unsigned>(environment_count("HEDDLE_CPU_WORKERS", 1, kMostWorkers).value_or(0));
  }
  if (*options.cpu_workers > kMostWorkers) {
    throw InvalidArgument(fmt::format("cpu_workers is {}; allowed: 1 to {}, or 0 for one per processor",
                                      *options.cpu_workers, kMostWorkers));
  }
  if (!options.memory_limit) options.memory_limit = environment_bytes("HEDDLE_MEMORY_LIMIT").value_or(0);
  if (!options.memory_high) options.memory_high = environment_bytes("HEDDLE_MEMORY_HIGH").value_or(0);
  if (!options.memory_low) options.memory_low = environment_bytes("HEDDLE_MEMORY_LOW").value_or(0);
  const PoolLimits usual_limits;
  if (!options.streams_max) {
    options.streams_max =
        static_cast<std::uint32_t>(environment_count("HEDDLE_STREAMS_MAX", 1, 4096).value_or(usual_limits.streams_max));
  }
  // A maximum below the usual number of streams lowers that number; two values that contradict are refused below.
  const std::uint32_t usual = std::min(usual_limits.streams, *options.streams_max);
  if (!options.streams) {
    options.streams = static_cast<std::uint32_t>(environment_count("HEDDLE_STREAMS", 1, 4096).value_or(usual));
  }
  pool_limits(options).validate();
  return options;
}

std::unique_ptr<Device> open_device(const Options& options) {
  std::unique_ptr<Device> device;
  if (*options.device == "cpu") {
    open_cpu({options.cpu_workers.value_or(0), *options.cpu_kernels}, &device).raise();
    return device;
  }
  if (*options.device == "sim") {
    open_sim({}, &device).raise();
    return device;
  }
  if (const std::optional<unsigned> index = cuda_index(*options.device)) {
    open_cuda({*index, *options.cuda_matmul, *options.cuda_pages}, &device).raise();
    return device;
  }
  throw InvalidArgument(fmt::format("device '{}' is unknown; allowed: cpu, cuda, cuda:N, sim", *options.device));
}

CoreOptions core_options(const Options& options, const DeviceInfo& device) {
  return {.limits = pool_limits(options),
          .memory = memory_options(options, device),
          .wait = *options.wait,
          .exhaustion = options.exhaustion,
          .seed = options.seed,
          .on_handler_failure = options.on_handler_failure};
}

KernelLibrary kernel_library(const Options& options) noexcept {
  if (options.device->starts_with("cuda")) return KernelLibrary::kCuda;
  const bool best = *options.device == "cpu" && *options.cpu_kernels == CpuKernels::kBest;
  return best ? KernelLibrary::kOneDnn : KernelLibrary::kNone;
}

}  // namespace HEDDLE_NS
