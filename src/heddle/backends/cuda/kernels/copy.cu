// Copies of bytes as they are: one run of them, or the operands of a stack side by side.
#include <algorithm>

#include "heddle/backends/cuda/kernels/launch.cuh"

namespace HEDDLE_NS::cuda {

namespace {

constexpr unsigned kThreads = 256;

// The widest unit that divides the size and both addresses.
std::size_t unit_of(std::uintptr_t addresses_or_sizes) {
  for (const std::size_t unit : {std::size_t{16}, std::size_t{4}, std::size_t{2}}) {
    if (addresses_or_sizes % unit == 0) return unit;
  }
  return 1;
}

std::uintptr_t bits(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

template <class Unit>
__global__ void __launch_bounds__(kThreads) copy_bytes(Unit* out, const Unit* in, std::uint64_t count) {
  const std::uint64_t i = std::uint64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i < count) out[i] = in[i];
}

// Block row y copies operand y.
template <class Unit>
__global__ void __launch_bounds__(kThreads) stack(const __grid_constant__ StackArgs args) {
  const std::uint64_t count = args.bytes / sizeof(Unit);
  const std::uint64_t i = std::uint64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= count) return;
  static_cast<Unit*>(args.out)[blockIdx.y * count + i] = static_cast<const Unit*>(args.in[blockIdx.y])[i];
}

// Operands of one unit each, such as the results of reductions: one thread an operand.
template <class Unit>
__global__ void stack_units(const __grid_constant__ StackArgs args) {
  const unsigned i = threadIdx.x;
  if (i < args.count) static_cast<Unit*>(args.out)[i] = *static_cast<const Unit*>(args.in[i]);
}

template <class Unit>
cudaError_t launch_copy_units(const CopyBytesArgs& args, cudaStream_t stream) {
  const std::uint64_t count = args.bytes / sizeof(Unit);
  return launch(copy_bytes<Unit>, blocks_for(count, kThreads), kThreads, stream, static_cast<Unit*>(args.out),
                static_cast<const Unit*>(args.in), count);
}

template <class Unit>
cudaError_t launch_stack_units(const StackArgs& args, cudaStream_t stream) {
  if (args.bytes == sizeof(Unit)) {
    return launch(stack_units<Unit>, 1, static_cast<unsigned>(kStackMost), stream, args);
  }
  const dim3 grid(blocks_for(args.bytes / sizeof(Unit), kThreads), static_cast<unsigned>(args.count));
  return launch(stack<Unit>, grid, kThreads, stream, args);
}

}  // namespace

cudaError_t launch_copy_bytes(const CopyBytesArgs& args, cudaStream_t stream) {
  if (args.bytes == 0 || args.out == args.in) return cudaSuccess;
  switch (unit_of(bits(args.out) | bits(args.in) | args.bytes)) {
    case 16: return launch_copy_units<uint4>(args, stream);
    case 4: return launch_copy_units<std::uint32_t>(args, stream);
    case 2: return launch_copy_units<std::uint16_t>(args, stream);
    default: return launch_copy_units<std::uint8_t>(args, stream);
  }
}

cudaError_t launch_stack(const StackArgs& args, cudaStream_t stream) {
  if (args.bytes == 0 || args.count == 0) return cudaSuccess;
  std::uintptr_t all = bits(args.out) | args.bytes;
  for (std::uint64_t i = 0; i < args.count; ++i) all |= bits(args.in[i]);
  switch (unit_of(all)) {
    case 16: return launch_stack_units<uint4>(args, stream);
    case 4: return launch_stack_units<std::uint32_t>(args, stream);
    case 2: return launch_stack_units<std::uint16_t>(args, stream);
    default: return launch_stack_units<std::uint8_t>(args, stream);
  }
}

cudaError_t preload_copy() {
  return preload_all(copy_bytes<uint4>, copy_bytes<std::uint32_t>, copy_bytes<std::uint16_t>, copy_bytes<std::uint8_t>,
                     stack<uint4>, stack<std::uint32_t>, stack<std::uint16_t>, stack<std::uint8_t>, stack_units<uint4>,
                     stack_units<std::uint32_t>, stack_units<std::uint16_t>, stack_units<std::uint8_t>);
}

}  // namespace HEDDLE_NS::cuda
