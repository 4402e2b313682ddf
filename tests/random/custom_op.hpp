// Custom operations of random programs: they check their inputs against the model, and write the model's results.
//
// Thread safety: a CustomCheck is immutable once it is recorded.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heddle/heddle.hpp"
#include "random/value.hpp"

namespace heddle::programs {

struct CustomCheck {
  std::vector<Known> inputs, outputs;
  std::chrono::microseconds takes{0};
  std::string throws_with;                        // empty: it does not throw
  std::function<void()> misuse;                   // called first, if not empty
  std::function<void(const std::string&)> wrong;  // receives a description of each wrong value
  std::shared_ptr<void> ballast;                  // destroyed with the function
};

// The function to record. `inputs`: the tensors that the operation reads.
CustomFunction custom_function(Runtime& runtime, std::shared_ptr<const CustomCheck> check,
                               const std::vector<Tensor>& inputs);

// For devices with the host's memory; `operand.data` points to its first element.
void check_on_host(const CustomCheck& check, const CustomCall& call);

// Like custom_function(), on a CUDA device: host work, between copies, on the stream. Only in builds with CUDA.
CustomFunction cuda_function(Runtime& runtime, std::shared_ptr<const CustomCheck> check,
                             const std::vector<Tensor>& inputs);

}  // namespace heddle::programs
