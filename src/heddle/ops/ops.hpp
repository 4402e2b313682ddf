// The operations, in the field's words. Each records commands on the calling thread's stream and returns at once.
//
// Errors, thrown at record time with nothing recorded: InvalidArgument (shapes or operands of two runtimes; the text
// names both), OutOfMemory, NotCommitted (an operand's producer on another stream has not committed), PoolExhausted,
// Closed. Thread safety: any thread; see Tensor and Generator. Empty tensors are allowed everywhere.
#pragma once

#include "heddle/base/namespace.hpp"
#include "heddle/tensor/generator.hpp"
#include "heddle/tensor/tensor.hpp"

namespace HEDDLE_NS {

// Standard normals / uniforms in [0, 1). Without a generator: the default generator of the calling thread's stream
// (seed: the runtime's, subsequence: 2^32 + the stream's id), so the numbers depend on which stream that is.
Tensor randn(Core& core, const Shape& shape);
Tensor randn(Generator& generator, const Shape& shape);
Tensor uniform(Core& core, const Shape& shape);
Tensor uniform(Generator& generator, const Shape& shape);

Tensor zeros(Core& core, const Shape& shape);
Tensor full(Core& core, const Shape& shape, float value);

// a: [..., m, k], b: [..., k, n] -> [..., m, n]; leading dimensions broadcast. Both of rank 2 at least.
Tensor matmul(const Tensor& a, const Tensor& b);
// x: [..., k], weight: [n, k], bias: [n] -> [..., n]: x times the transposed weight, plus bias.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

// Over all elements -> a scalar (rank 0); over `axis` (negative: from the end) -> that dimension removed.
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, std::int64_t axis);
Tensor mean(const Tensor& x);  // of no elements: NaN
Tensor mean(const Tensor& x, std::int64_t axis);

// Elementwise with broadcasting.
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor relu(const Tensor& x);  // NaN stays NaN

// Shares memory where strides allow, else copies. One extent may be -1.
Tensor reshape(const Tensor& x, std::initializer_list<std::int64_t> extents);
Tensor reshape(const Tensor& x, const Shape& shape);
// Swaps two dimensions; a view. Default: the last two.
Tensor transpose(const Tensor& x);
Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b);
// A contiguous copy in new memory.
Tensor copy(const Tensor& x);

}  // namespace HEDDLE_NS
