// Generator: a sequence of random numbers whose state lives in device memory and advances there.
//
// The sequence depends on (seed, subsequence) only, not on the device, the stream or the timing of lists.
// A generator is used by one stream at a time; using it on another stream is ordered like any operand.
// Thread safety: one generator is used by one thread at a time.
#pragma once

#include "heddle/base/namespace.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/tensor/tensor.hpp"

namespace HEDDLE_NS {

class Generator {
 public:
  // Records the upload of the initial state on the calling thread's stream.
  Generator(Core& core, std::uint64_t seed, std::uint64_t subsequence = 0);

  // Throws InvalidArgument for a generator that was moved from, as every use of one does.
  Core& core() const;
  GeneratorState* state() const noexcept { return static_cast<GeneratorState*>(state_->address()); }
  OperandMemory memory() const noexcept { return state_->memory(); }
  // Owns the state: handed to Lane::record_draw, which uses it until the list closes.
  const std::shared_ptr<const Tensor>& keep() const noexcept { return state_; }

 private:
  std::shared_ptr<const Tensor> state_;
};

}  // namespace HEDDLE_NS
