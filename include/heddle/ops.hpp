// The operations, in the field's words. Each records commands on the calling thread's stream and returns at once.
//
// Types: operands of one operation have one type, which the result has too. Elementwise operations, matmul, linear,
// stack and cast also take float16 and bfloat16 (computed in float32, rounded once); the rest take float32.
// Errors, thrown at record time with nothing recorded: InvalidArgument (shapes, types or operands of two runtimes; the
// text names both), Unsupported (the device has no kernel of that type), OutOfMemory, NotCommitted (an operand's
// producer on another stream has not committed), PoolExhausted, Closed. Thread safety: any thread; see Tensor and
// Generator. Empty tensors are allowed everywhere.
#pragma once

#include "heddle/detail/namespace.hpp"
#include "heddle/generator.hpp"
#include "heddle/tensor.hpp"

namespace HEDDLE_NS {

#pragma GCC visibility push(default)  // as HEDDLE_API before each

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
// The elements in another type, rounded to the nearest; x itself where it has that type.
Tensor cast(const Tensor& x, Dtype dtype);
// Tensors of one shape as slices of a new one, along a new first dimension. Results of many small operations are read
// with one copy this way.
Tensor stack(std::span<const Tensor> tensors);

#pragma GCC visibility pop

}  // namespace HEDDLE_NS
