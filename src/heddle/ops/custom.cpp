#include "heddle/custom.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "heddle/error.hpp"
#include "heddle/ops/operands.hpp"

namespace HEDDLE_NS {
namespace {

CustomOperand describe(const Tensor& tensor) {
  return {address_of(tensor), tensor.shape(), tensor.strides(), tensor.dtype()};
}

}  // namespace

std::vector<Tensor> custom(Core& core, const std::string& name, const std::vector<Tensor>& inputs,
                           const std::vector<Shape>& outputs, CustomFunction function) {
  if (!function)
    throw InvalidArgument(fmt::format("custom '{}': the function is empty; pass something that can be called", name));
  for (const Tensor& input : inputs) {
    ops::require_defined("custom", input);
    if (&input.core() != &core) {
      throw InvalidArgument(
          fmt::format("custom '{}': an input belongs to another runtime; copy it through the host "
                      "(to_host, from_host)",
                      name));
    }
  }
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  CustomCall call{};
  std::vector<Tensor> results;
  results.reserve(outputs.size());
  call.inputs.reserve(inputs.size());
  call.outputs.reserve(outputs.size());
  for (const Shape& shape : outputs) results.push_back(allocate_tensor(core, lane, shape));
  for (const Tensor& input : inputs) call.inputs.push_back(describe(input));
  for (const Tensor& result : results) call.outputs.push_back(describe(result));
  const auto command = std::make_shared<const CustomCommand>(
      CustomCommand{name, [call = std::move(call), function = std::move(function)](void* native_handle) mutable {
                      call.native_handle = native_handle;
                      function(call);
                    }});
  std::vector<OperandMemory> reads, writes;
  for (const Tensor& input : inputs) reads.push_back(operand_of(input));
  for (const Tensor& result : results) writes.push_back(operand_of(result));
  lane.record(Command<CustomArgs>(KernelId::kCustom, {command.get()}), Kept{command}, reads, writes);
  return results;
}

}  // namespace HEDDLE_NS
