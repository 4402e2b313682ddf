#include <cstring>

#include "heddle/backends/cpu/kernels/kernels.hpp"

namespace HEDDLE_NS::cpu {

void copy_bytes(const CommandView& command, KernelContext&) {
  const auto args = command.args<CopyBytesArgs>();
  if (args.bytes > 0 && args.out != args.in) std::memcpy(args.out, args.in, args.bytes);
}

void upload(const CommandView& command, KernelContext& context) {
  const auto args = command.args<UploadArgs>();
  if (args.bytes > 0) std::memcpy(args.out, context.list->staged(args.slot, args.offset), args.bytes);
}

}  // namespace HEDDLE_NS::cpu
