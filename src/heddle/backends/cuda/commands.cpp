#include "heddle/backends/cuda/commands.hpp"

#include <fmt/format.h>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/kernels/launch.hpp"
#include "heddle/device/kernel_failure.hpp"
#include "heddle/device/kernel_table.hpp"
#include "heddle/sync/lock_checks.hpp"
#include "heddle/sync/no_waiting.hpp"

namespace HEDDLE_NS::cuda {

namespace {

// Up to here the device moves bytes to and from pinned memory itself: a copy engine would add a hand-over each way.
constexpr std::uint64_t kKernelCopyMost = std::uint64_t{32} << 10;

Status encode_randn(const CommandView& command, const EncodeContext& context) {
  return call("randn", [&] { return launch_randn(command.args<RandomArgs>(), context.stream); });
}

Status encode_uniform(const CommandView& command, const EncodeContext& context) {
  return call("uniform", [&] { return launch_uniform(command.args<RandomArgs>(), context.stream); });
}

Status encode_advance(const CommandView& command, const EncodeContext& context) {
  return call("advance", [&] { return launch_advance(command.args<AdvanceArgs>(), context.stream); });
}

Status encode_fill(const CommandView& command, const EncodeContext& context) {
  return call("fill", [&] { return launch_fill(command.args<FillArgs>(), context.stream); });
}

Status encode_copy_bytes(const CommandView& command, const EncodeContext& context) {
  const auto args = command.args<CopyBytesArgs>();
  if (args.bytes == 0 || args.out == args.in) return {};
  const bool pinned = context.pinned.contains(args.out, args.bytes) || context.pinned.contains(args.in, args.bytes);
  if (pinned && args.bytes <= kKernelCopyMost) {
    return call("copy_bytes", [&] { return launch_copy_bytes(args, context.stream); });
  }
  return call("cudaMemcpyAsync",
              [&] { return cudaMemcpyAsync(args.out, args.in, args.bytes, cudaMemcpyDefault, context.stream); });
}

Status encode_elementwise(const CommandView& command, const EncodeContext& context) {
  return call("an elementwise kernel", [&] {
    return launch_elementwise(command.kernel(), command.dtype(), command.args<ElementwiseArgs>(), context.stream);
  });
}

Status encode_cast(const CommandView& command, const EncodeContext& context) {
  return call("cast", [&] {
    return launch_cast(command.source(), command.dtype(), command.args<ElementwiseArgs>(), context.stream);
  });
}

Status encode_matmul(const CommandView& command, const EncodeContext& context) {
  return context.matmul.submit(command.args<MatmulArgs>(), command.dtype(), context.stream);
}

Status encode_reduce(const CommandView& command, const EncodeContext& context) {
  return call("a reduction",
              [&] { return launch_reduce(command.kernel(), command.args<ReduceArgs>(), context.stream); });
}

Status encode_stack(const CommandView& command, const EncodeContext& context) {
  return call("stack", [&] { return launch_stack(command.args<StackArgs>(), context.stream); });
}

Status encode_timestamp(const CommandView& command, const EncodeContext& context) {
  return call("timestamp", [&] { return launch_timestamp(command.args<TimestampArgs>(), context.stream); });
}

// The user's function launches work of its own on the stream. It may throw, leave an error of CUDA's behind, or choose
// another device.
Status encode_custom(const CommandView& command, const EncodeContext& context) {
  sync::assert_no_locks_held("a custom operation");
  const sync::NoWaiting no_waiting("a custom operation", sync::NoWaiting::Also::kNoRecording);
  const CustomCommand& custom = *command.args<CustomArgs>().command;
  const bool clean = cudaPeekAtLastError() == cudaSuccess;
  Status status;
  try {
    custom.run(context.stream);
  } catch (...) {
    status = kernel_failure(command);
  }
  CurrentDevice::renew(context.device);
  if (!status.ok()) return status;
  if (const cudaError_t error = cudaPeekAtLastError(); clean && error != cudaSuccess) {
    return to_status(error, fmt::format("custom operation '{}'", custom.name).c_str());
  }
  return {};
}

using Encoder = Status (*)(const CommandView&, const EncodeContext&);

struct Row {
  KernelId id;
  Encoder encode;
  bool half = false;  // also for float16 and bfloat16
};

constexpr KernelTable<Row> kTable{{{
    {KernelId::kRandn, encode_randn},
    {KernelId::kUniform, encode_uniform},
    {KernelId::kAdvance, encode_advance},
    {KernelId::kFill, encode_fill},
    {KernelId::kCopyBytes, encode_copy_bytes, true},
    {KernelId::kCopy, encode_elementwise, true},
    {KernelId::kCast, encode_cast, true},
    {KernelId::kRelu, encode_elementwise, true},
    {KernelId::kAdd, encode_elementwise, true},
    {KernelId::kSub, encode_elementwise, true},
    {KernelId::kMul, encode_elementwise, true},
    {KernelId::kDiv, encode_elementwise, true},
    {KernelId::kMatmul, encode_matmul, true},
    {KernelId::kSum, encode_reduce},
    {KernelId::kMean, encode_reduce},
    {KernelId::kStack, encode_stack, true},
    {KernelId::kTimestamp, encode_timestamp},
    {KernelId::kCustom, encode_custom},
}}};

}  // namespace

Status encode(const CommandView& command, const EncodeContext& context) {
  const Row* const row = kTable.find(command.kernel());
  if (row == nullptr) [[unlikely]] {
    return {ErrorKind::kUnsupported, fmt::format("the cuda backend has no kernel of number {}; the rest of its list "
                                                 "was skipped",
                                                 static_cast<unsigned>(command.kernel()))};
  }
  return row->encode(command, context);
}

bool has_kernel(KernelId kernel, Dtype dtype) noexcept { return kTable.supports(kernel, dtype); }

}  // namespace HEDDLE_NS::cuda
