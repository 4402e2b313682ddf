#include "heddle/backends/cuda/commands.hpp"

#include <fmt/format.h>

#include <type_traits>

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

// A kernel that one launch function starts: from its arguments, or from the command's header and them.
template <KernelId kId, auto kLaunch>
Status encode_launch(const CommandView& command, const EncodeContext& context) {
  const auto args = command.args<ArgsOf<kId>>();
  return call(kernel_name(kId).data(), [&] {
    if constexpr (std::is_invocable_v<decltype(kLaunch), decltype(args), cudaStream_t>) {
      return kLaunch(args, context.stream);
    } else {
      return kLaunch(command.header(), args, context.stream);
    }
  });
}

Status encode_copy(const CopyBytesArgs& args, const EncodeContext& context) {
  if (args.bytes == 0 || args.out == args.in) return {};
  const bool pinned = context.pinned.contains(args.out, args.bytes) || context.pinned.contains(args.in, args.bytes);
  if (pinned && args.bytes <= kKernelCopyMost) {
    return call("copy_bytes", [&] { return launch_copy_bytes(args, context.stream); });
  }
  return call("cudaMemcpyAsync",
              [&] { return cudaMemcpyAsync(args.out, args.in, args.bytes, cudaMemcpyDefault, context.stream); });
}

Status encode_copy_bytes(const CommandView& command, const EncodeContext& context) {
  return encode_copy(command.args<CopyBytesArgs>(), context);
}

Status encode_upload(const CommandView& command, const EncodeContext& context) {
  const auto args = command.args<UploadArgs>();
  if (args.bytes == 0) return {};
  return encode_copy({args.out, context.list.staged(args.slot, args.offset), args.bytes}, context);
}

Status encode_matmul(const CommandView& command, const EncodeContext& context) {
  return context.matmul.submit(command.args<MatmulArgs>(), command.dtype(), context.stream);
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
  DtypeSet dtypes;
  Encoder encode;
};

template <KernelId kId, auto kLaunch>
constexpr Row launched(DtypeSet dtypes) {
  return {kId, dtypes, encode_launch<kId, kLaunch>};
}

constexpr KernelTable<Row> kTable{{{
    launched<KernelId::kRandn, launch_randn>(kOnlyFloat32),
    launched<KernelId::kUniform, launch_uniform>(kOnlyFloat32),
    launched<KernelId::kAdvance, launch_advance>(kOnlyFloat32),
    launched<KernelId::kFill, launch_fill>(kOnlyFloat32),
    {KernelId::kUpload, kAllFloats, encode_upload},
    {KernelId::kCopyBytes, kAllFloats, encode_copy_bytes},
    launched<KernelId::kCopy, launch_elementwise>(kAllFloats),
    launched<KernelId::kCast, launch_cast>(kAllFloats),
#define HEDDLE_MAP(Id, name, inputs, ...) launched<KernelId::k##Id, launch_elementwise>(kAllFloats),
#include "heddle/device/maps-inl.h"
    {KernelId::kMatmul, kAllFloats, encode_matmul},
    launched<KernelId::kSum, launch_reduce>(kOnlyFloat32),
    launched<KernelId::kMean, launch_reduce>(kOnlyFloat32),
    launched<KernelId::kStack, launch_stack>(kAllFloats),
    launched<KernelId::kTimestamp, launch_timestamp>(kOnlyFloat32),
    {KernelId::kCustom, kOnlyFloat32, encode_custom},
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
