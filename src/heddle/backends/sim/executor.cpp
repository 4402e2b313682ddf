#include "heddle/backends/sim/executor.hpp"

#include <algorithm>
#include <cstring>

#include "heddle/device/scalar_maps.hpp"
#include "heddle/sync/no_waiting.hpp"

namespace HEDDLE_NS::sim {

namespace {

void fill(const FillArgs& args) {
  float value = 0;
  std::memcpy(&value, &args.value_bits, sizeof(value));
  std::fill_n(static_cast<float*>(args.out), args.count, value);
}

void stack(const StackArgs& args) {
  for (std::uint64_t i = 0; i < args.count; ++i) {
    std::memcpy(static_cast<std::byte*>(args.out) + i * args.bytes, args.in[i], args.bytes);
  }
}

template <class Function>
void elementwise(const ElementwiseArgs& args, Function function) {
  if (args.rank > 1) return;
  const LoopDim dim = args.rank == 1 ? args.dims[0] : LoopDim{1, 1, 1, 1};
  if (dim.out_stride != 1) return;
  const auto* a = static_cast<const float*>(args.a);
  const auto* b = static_cast<const float*>(args.b);
  auto* out = static_cast<float*>(args.out);
  for (std::int64_t i = 0; i < dim.extent; ++i) {
    out[i] = function(a[i * dim.a_stride], b == nullptr ? a[i * dim.a_stride] : b[i * dim.b_stride]);
  }
}

}  // namespace

void execute(const CommandView& command, const CommandList& list, std::uint64_t now_ns) {
  switch (command.kernel()) {
    case KernelId::kFill: fill(command.args<FillArgs>()); break;
    case KernelId::kUpload: {
      const auto args = command.args<UploadArgs>();
      if (args.bytes != 0) std::memcpy(args.out, list.staged(args.slot, args.offset), args.bytes);
      break;
    }
    case KernelId::kCopyBytes: {
      const auto args = command.args<CopyBytesArgs>();
      if (args.bytes != 0) std::memmove(args.out, args.in, args.bytes);
      break;
    }
    case KernelId::kAdvance: {
      const auto args = command.args<AdvanceArgs>();
      args.state->block += args.blocks;
      break;
    }
    case KernelId::kCopy: elementwise(command.args<ElementwiseArgs>(), [](float a, float) { return a; }); break;
#define HEDDLE_MAP(Id, name, inputs, ...)                                                 \
  case KernelId::k##Id:                                                                   \
    elementwise(command.args<ElementwiseArgs>(),                                          \
                [](float a, float b) { return maps::Id::apply(maps::Scalars(), a, b); }); \
    break;
#include "heddle/device/maps-inl.h"
    case KernelId::kStack: stack(command.args<StackArgs>()); break;
    case KernelId::kTimestamp: *command.args<TimestampArgs>().out = now_ns; break;
    case KernelId::kCustom: {
      const sync::NoWaiting no_waiting("a custom operation", sync::NoWaiting::Also::kNoRecording);
      command.args<CustomArgs>().command->run(nullptr);
      break;
    }
    default: break;
  }
}

}  // namespace HEDDLE_NS::sim
