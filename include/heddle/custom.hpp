// Custom operations: a function of the user's in the place of a kernel.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "heddle/detail/namespace.hpp"
#include "heddle/tensor.hpp"

namespace HEDDLE_NS {

// One operand, as the function finds it when the stream comes past.
struct CustomOperand {
  void* data = nullptr;  // on the device; inputs must not be written
  Shape shape = {};
  Strides strides = {};           // elements
  Dtype dtype = Dtype::kFloat32;  // outputs: float32
};

struct CustomCall {
  std::vector<CustomOperand> inputs = {};
  std::vector<CustomOperand> outputs = {};  // dense
  void* native_handle = nullptr;            // Lease::native_handle() of the stream; null on the CPU
};

// On a device with the host's memory (cpu, sim) the function computes: it is called when the stream comes past, on a
// worker or a waiting thread. On others it is called at submit and launches its work on native_handle. It must not
// record (InvalidArgument) or wait (WouldBlock), nor may its destructor; what it throws fails its list (DeviceError).
using CustomFunction = std::function<void(const CustomCall&)>;

// Records `function` behind everything its inputs need, and returns its outputs, of the shapes that are given; their
// contents are what it writes. `name` appears in errors. Throws InvalidArgument (an undefined input, an input of
// another runtime, an empty function), and as operations do.
HEDDLE_API std::vector<Tensor> custom(Core& core, const std::string& name, const std::vector<Tensor>& inputs,
                                      const std::vector<Shape>& outputs, CustomFunction function);

}  // namespace HEDDLE_NS
