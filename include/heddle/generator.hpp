// Generator: a sequence of random numbers whose state lives in device memory and advances there.
//
// The sequence depends on (seed, subsequence) only, not on the device, the stream or the timing of lists.
// A generator is used by one stream at a time; using it on another stream is ordered like any operand.
// Thread safety: one generator is used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "heddle/detail/namespace.hpp"

namespace HEDDLE_NS {

class Core;
class Tensor;

class HEDDLE_API Generator {
 public:
  // Records the upload of the initial state on the calling thread's stream.
  Generator(Core& core, std::uint64_t seed, std::uint64_t subsequence = 0);

  // Its runtime. Throws InvalidArgument for a generator that was moved from, as every use of one does.
  Core& core() const;

 private:
  friend struct GeneratorAccess;

  std::shared_ptr<const Tensor> state_;
};

}  // namespace HEDDLE_NS
