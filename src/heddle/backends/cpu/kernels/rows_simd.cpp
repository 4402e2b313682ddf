#include "heddle/backends/cpu/kernels/rows_simd.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heddle/backends/cpu/kernels/rows_simd.cpp"
#include <hwy/foreach_target.h>  // compiles this file once for each target
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace HEDDLE_NS::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using VF = hn::Vec<F32>;

// The machine of the elementwise functions: vectors of the tag D, full ones first, then single lanes for the rest.
template <class D>
struct Vectors {
  using V = hn::Vec<D>;
  D d;
  HWY_INLINE V number(float value) const { return hn::Set(d, value); }
  HWY_INLINE auto less(V a, V b) const { return hn::Lt(a, b); }
  template <class Condition>
  HWY_INLINE V select(Condition condition, V yes, V no) const {
    return hn::IfThenElse(condition, yes, no);
  }
  HWY_INLINE V add(V a, V b) const { return hn::Add(a, b); }
  HWY_INLINE V sub(V a, V b) const { return hn::Sub(a, b); }
  HWY_INLINE V mul(V a, V b) const { return hn::Mul(a, b); }
  HWY_INLINE V div(V a, V b) const { return hn::Div(a, b); }
};

namespace maps {
#define HEDDLE_MAP_FUNCTION HWY_INLINE
#include "heddle/device/maps-inl.h"
}  // namespace maps

template <bool kScalar>
struct Operand {
  HWY_INLINE explicit Operand(const float* from) : data(from), all(hn::Set(F32(), *from)) {}
  template <class D>
  HWY_INLINE hn::Vec<D> load(D d, std::size_t i) const {
    if constexpr (kScalar) return hn::Set(d, *data);
    return hn::LoadU(d, data + i);
  }
  HWY_INLINE VF load(F32 d, std::size_t i) const {
    if constexpr (kScalar) return all;
    return hn::LoadU(d, data + i);
  }
  const float* data;
  VF all;
};

template <class Op, bool kScalarA, bool kScalarB>
void apply_row(std::size_t count, const float* a, const float* b, float* out) {
  const F32 d;
  const hn::CappedTag<float, 1> one;
  const Vectors<F32> wide{d};
  const Vectors<hn::CappedTag<float, 1>> single{one};
  const std::size_t lanes = hn::Lanes(d);
  const Operand<kScalarA> left(a);
  const Operand<kScalarB> right(b);
  std::size_t i = 0;
  // Both results before both stores: the compiler may not move a load over a store that could alias it.
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const VF first = Op::apply(wide, left.load(d, i), right.load(d, i));
    const VF second = Op::apply(wide, left.load(d, i + lanes), right.load(d, i + lanes));
    hn::StoreU(first, d, out + i);
    hn::StoreU(second, d, out + i + lanes);
  }
  for (; i < count; ++i) hn::StoreU(Op::apply(single, left.load(one, i), right.load(one, i)), one, out + i);
}

template <class Op>
void choose_row(std::size_t count, const float* a, bool a_is_scalar, const float* b, bool b_is_scalar, float* out) {
  if (a_is_scalar) {
    return b_is_scalar ? apply_row<Op, true, true>(count, a, b, out) : apply_row<Op, true, false>(count, a, b, out);
  }
  return b_is_scalar ? apply_row<Op, false, true>(count, a, b, out) : apply_row<Op, false, false>(count, a, b, out);
}

void row(KernelId map, std::size_t count, const float* a, bool a_is_scalar, const float* b, bool b_is_scalar,
         float* out) {
  switch (map) {
#define HEDDLE_MAP(Id, name, inputs, ...)                                      \
  case KernelId::k##Id:                                                        \
    if constexpr (maps::Id::kInputs == 1) {                                    \
      return choose_row<maps::Id>(count, a, a_is_scalar, a, a_is_scalar, out); \
    } else {                                                                   \
      return choose_row<maps::Id>(count, a, a_is_scalar, b, b_is_scalar, out); \
    }
#include "heddle/device/maps-inl.h"
    default: return;
  }
}

double total(const float* in, std::size_t count) {
  constexpr std::size_t kSums = 64;
  constexpr std::size_t kBlock = 2048;
  const hn::CappedTag<float, 16> d;  // no wider than a quarter of the sums
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  HWY_ALIGN float sums[kSums];
  double result = 0;
  for (std::size_t at = 0; at < count; at += kBlock) {
    const float* block = in + at;
    const std::size_t size = std::min(kBlock, count - at);
    const std::size_t whole = size / kSums * kSums;
    // Four vectors at a time, each column of them over the whole block: keeps the sums in registers on every target.
    for (std::size_t column = 0; column < kSums; column += 4 * lanes) {
      V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
      for (std::size_t i = column; i < whole; i += kSums) {
        s0 = hn::Add(s0, hn::LoadU(d, block + i));
        s1 = hn::Add(s1, hn::LoadU(d, block + i + lanes));
        s2 = hn::Add(s2, hn::LoadU(d, block + i + 2 * lanes));
        s3 = hn::Add(s3, hn::LoadU(d, block + i + 3 * lanes));
      }
      hn::Store(s0, d, sums + column);
      hn::Store(s1, d, sums + column + lanes);
      hn::Store(s2, d, sums + column + 2 * lanes);
      hn::Store(s3, d, sums + column + 3 * lanes);
    }
    for (std::size_t i = whole; i < size; ++i) sums[i - whole] += block[i];
    for (std::size_t half = kSums / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
    }
    result += static_cast<double>(sums[0]);
  }
  return result;
}

}  // namespace HEDDLE_NS::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace HEDDLE_NS::cpu {

HWY_EXPORT(row);
HWY_EXPORT(total);

void simd_row(KernelId map, std::size_t count, const float* a, bool a_is_scalar, const float* b, bool b_is_scalar,
              float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(row)(map, count, a, a_is_scalar, b, b_is_scalar, out);
}

double simd_sum(const float* in, std::size_t count) noexcept { return HWY_DYNAMIC_DISPATCH(total)(in, count); }

}  // namespace HEDDLE_NS::cpu
#endif
