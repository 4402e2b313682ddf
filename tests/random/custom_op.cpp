#include "random/custom_op.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

#include "heddle/device/half.hpp"

namespace heddle::programs {
namespace {

float element(const CustomOperand& operand, std::int64_t at) {
  switch (operand.dtype) {
    case Dtype::kFloat32: return static_cast<const float*>(operand.data)[at];
    case Dtype::kFloat16: return to_float(static_cast<const Float16*>(operand.data)[at]);
    case Dtype::kBFloat16: return to_float(static_cast<const BFloat16*>(operand.data)[at]);
  }
  return 0;
}

// In row-major order.
std::vector<float> elements_of(const CustomOperand& operand) {
  std::vector<float> found;
  found.reserve(static_cast<std::size_t>(operand.shape.elements()));
  std::array<std::int64_t, kMaxRank> index{};
  for (std::int64_t i = 0; i < operand.shape.elements(); ++i) {
    std::int64_t at = 0;
    for (std::size_t dim = 0; dim < operand.shape.rank(); ++dim) at += index[dim] * operand.strides[dim];
    found.push_back(element(operand, at));
    for (std::size_t dim = operand.shape.rank(); dim-- > 0;) {
      if (++index[dim] < operand.shape[dim]) break;
      index[dim] = 0;
    }
  }
  return found;
}

}  // namespace

void check_on_host(const CustomCheck& check, const CustomCall& call) {
  if (check.takes.count() != 0) std::this_thread::sleep_for(check.takes);
  for (std::size_t i = 0; i < check.inputs.size(); ++i) {
    const std::string what = difference(*check.inputs[i], elements_of(call.inputs[i]));
    if (!what.empty()) check.wrong("a custom operation read, before it wrote: " + what);
  }
  for (std::size_t i = 0; i < check.outputs.size(); ++i) {
    const std::vector<float>& elements = check.outputs[i]->elements;
    std::copy(elements.begin(), elements.end(), static_cast<float*>(call.outputs[i].data));
  }
  // Once more: the inputs must not change during the operation.
  for (std::size_t i = 0; i < check.inputs.size(); ++i) {
    const std::string what = difference(*check.inputs[i], elements_of(call.inputs[i]));
    if (!what.empty()) check.wrong("a custom operation read, after it wrote: " + what);
  }
}

CustomFunction custom_function(Runtime& runtime, std::shared_ptr<const CustomCheck> check,
                               [[maybe_unused]] const std::vector<Tensor>& inputs) {
  if (!runtime.device_info().host_accessible) {
#if HEDDLE_HAS_CUDA
    return cuda_function(runtime, std::move(check), inputs);
#else
    return {};
#endif
  }
  return [check = std::move(check)](const CustomCall& call) {
    if (check->misuse) check->misuse();
    if (!check->throws_with.empty()) throw std::runtime_error(check->throws_with);
    check_on_host(*check, call);
  };
}

}  // namespace heddle::programs
