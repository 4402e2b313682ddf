// Custom operations on a CUDA device. The inputs are copied to pinned memory, where a host function checks them and
// writes the results; these are copied to the device. All in the stream's order.
#include <cuda_runtime.h>

#include <stdexcept>

#include "heddle/device/device.hpp"
#include "heddle/tensor/core.hpp"
#include "random/custom_op.hpp"

namespace heddle::programs {
namespace {

struct Copied {
  std::shared_ptr<std::byte> memory;
  std::size_t bytes = 0;
};

// From the first element to the end of the last one, as laid out.
std::size_t span_bytes(const Shape& shape, const Strides& strides, Dtype dtype) {
  if (shape.elements() == 0) return 0;
  std::int64_t last = 0;
  for (std::size_t dim = 0; dim < shape.rank(); ++dim) last += (shape[dim] - 1) * strides[dim];
  return static_cast<std::size_t>(last + 1) * size_of(dtype);
}

struct Work {
  std::shared_ptr<const CustomCheck> check;
  std::vector<Copied> inputs, outputs;
  CustomCall call;  // with the addresses of the copies
};

void require(cudaError_t error) {
  if (error != cudaSuccess) throw std::runtime_error(cudaGetErrorString(error));
}

void run(Work& work, const CustomCall& call) {
  const CustomCheck& check = *work.check;
  if (check.misuse) check.misuse();
  if (!check.throws_with.empty()) throw std::runtime_error(check.throws_with);
  auto* const stream = static_cast<cudaStream_t>(call.native_handle);
  work.call = call;
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    const Copied& to = work.inputs[i];
    if (to.bytes == 0) continue;
    require(cudaMemcpyAsync(to.memory.get(), call.inputs[i].data, to.bytes, cudaMemcpyDeviceToHost, stream));
    work.call.inputs[i].data = to.memory.get();
  }
  for (std::size_t i = 0; i < call.outputs.size(); ++i) work.call.outputs[i].data = work.outputs[i].memory.get();
  require(cudaLaunchHostFunc(
      stream,
      [](void* data) {
        const Work& now = *static_cast<Work*>(data);
        check_on_host(*now.check, now.call);
      },
      &work));
  for (std::size_t i = 0; i < call.outputs.size(); ++i) {
    const Copied& from = work.outputs[i];
    if (from.bytes == 0) continue;
    require(cudaMemcpyAsync(call.outputs[i].data, from.memory.get(), from.bytes, cudaMemcpyHostToDevice, stream));
  }
}

}  // namespace

CustomFunction cuda_function(Runtime& runtime, std::shared_ptr<const CustomCheck> check,
                             const std::vector<Tensor>& inputs) {
  const auto work = std::make_shared<Work>();
  Device& device = runtime.core().device();
  const auto pinned = [&](std::size_t bytes) {
    return Copied{device.allocate_host(bytes == 0 ? sizeof(float) : bytes), bytes};
  };
  for (const Tensor& input : inputs) {
    work->inputs.push_back(pinned(span_bytes(input.shape(), input.strides(), input.dtype())));
  }
  for (const Known& output : check->outputs) work->outputs.push_back(pinned(output->elements.size() * sizeof(float)));
  work->check = std::move(check);
  return [work](const CustomCall& call) { run(*work, call); };
}

}  // namespace heddle::programs
