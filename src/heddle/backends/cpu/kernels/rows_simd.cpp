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

// Op is generic over the tag: full vectors first, then single lanes for the rest.
struct Relu {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V apply(D d, V a, V) {
    return hn::IfThenElse(hn::Lt(a, hn::Zero(d)), hn::Zero(d), a);  // NaN is not below 0 and stays
  }
};
struct Add {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Add(a, b);
  }
};
struct Sub {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Sub(a, b);
  }
};
struct Mul {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Mul(a, b);
  }
};
struct Div {
  template <class D, class V = hn::Vec<D>>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Div(a, b);
  }
};

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
  const std::size_t lanes = hn::Lanes(d);
  const Operand<kScalarA> left(a);
  const Operand<kScalarB> right(b);
  std::size_t i = 0;
  // Both results before both stores: the compiler may not move a load over a store that could alias it.
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    const VF first = Op::apply(d, left.load(d, i), right.load(d, i));
    const VF second = Op::apply(d, left.load(d, i + lanes), right.load(d, i + lanes));
    hn::StoreU(first, d, out + i);
    hn::StoreU(second, d, out + i + lanes);
  }
  for (; i < count; ++i) hn::StoreU(Op::apply(one, left.load(one, i), right.load(one, i)), one, out + i);
}

template <class Op>
void choose_row(std::size_t count, const float* a, bool a_is_scalar, const float* b, bool b_is_scalar, float* out) {
  if (a_is_scalar) {
    return b_is_scalar ? apply_row<Op, true, true>(count, a, b, out) : apply_row<Op, true, false>(count, a, b, out);
  }
  return b_is_scalar ? apply_row<Op, false, true>(count, a, b, out) : apply_row<Op, false, false>(count, a, b, out);
}

void row(RowOp op, std::size_t count, const float* a, bool a_is_scalar, const float* b, bool b_is_scalar, float* out) {
  switch (op) {
    case RowOp::kRelu: return choose_row<Relu>(count, a, a_is_scalar, a, a_is_scalar, out);
    case RowOp::kAdd: return choose_row<Add>(count, a, a_is_scalar, b, b_is_scalar, out);
    case RowOp::kSub: return choose_row<Sub>(count, a, a_is_scalar, b, b_is_scalar, out);
    case RowOp::kMul: return choose_row<Mul>(count, a, a_is_scalar, b, b_is_scalar, out);
    case RowOp::kDiv: return choose_row<Div>(count, a, a_is_scalar, b, b_is_scalar, out);
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

void simd_row(RowOp op, std::size_t count, const float* a, bool a_is_scalar, const float* b, bool b_is_scalar,
              float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(row)(op, count, a, a_is_scalar, b, b_is_scalar, out);
}

double simd_sum(const float* in, std::size_t count) noexcept { return HWY_DYNAMIC_DISPATCH(total)(in, count); }

}  // namespace HEDDLE_NS::cpu
#endif
