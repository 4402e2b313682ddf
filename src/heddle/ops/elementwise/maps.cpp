// The elementwise operations: one for each row of device/maps-inl.h. Each must be declared in ops.hpp to compile.
#include <utility>

#include "heddle/ops.hpp"
#include "heddle/ops/elementwise/elementwise.hpp"

namespace HEDDLE_NS {

#define HEDDLE_MAP_OPERATION_1(Id, name)                                           \
  using name##_is_declared_in_ops = decltype(name(std::declval<const Tensor&>())); \
  Tensor name(const Tensor& x) { return ops::unary(KernelId::k##Id, #name, x); }
#define HEDDLE_MAP_OPERATION_2(Id, name)                                                                          \
  using name##_is_declared_in_ops = decltype(name(std::declval<const Tensor&>(), std::declval<const Tensor&>())); \
  Tensor name(const Tensor& a, const Tensor& b) { return ops::binary(KernelId::k##Id, #name, a, b); }
#define HEDDLE_MAP(Id, name, inputs, ...) HEDDLE_MAP_OPERATION_##inputs(Id, name)
#include "heddle/device/maps-inl.h"

}  // namespace HEDDLE_NS
