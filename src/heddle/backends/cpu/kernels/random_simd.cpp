#include "heddle/backends/cpu/kernels/random_simd.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "heddle/backends/cpu/kernels/philox.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heddle/backends/cpu/kernels/random_simd.cpp"
#include <hwy/foreach_target.h>  // compiles this file once for each target
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace HEDDLE_NS::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

// Highway's one-lane target (GCC below 12.3) has no shuffles; the reference does for processors without SSE4.
void normals(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) {
  double batch[64];
  for (std::uint64_t at = 0; at < count; at += 64) {
    const std::uint64_t n = std::min<std::uint64_t>(64, count - at);
    reference_normals(state, block_offset + at / 4, n, batch);
    for (std::uint64_t i = 0; i < n; ++i) out[at + i] = static_cast<float>(batch[i]);
  }
}

void uniforms(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) {
  for (std::uint64_t at = 0; at < count; at += 4) {
    const PhiloxWords words = philox_block(state.seed, state.subsequence, state.block + block_offset + at / 4);
    for (std::uint64_t i = 0; i < 4 && at + i < count; ++i) out[at + i] = uniform_from_word(words[i]);
  }
}

#else

using F32 = hn::ScalableTag<float>;
using I32 = hn::RebindToSigned<F32>;
using U32 = hn::RebindToUnsigned<F32>;
using U64 = hn::Repartition<std::uint64_t, U32>;
using VF = hn::Vec<F32>;
using VI = hn::Vec<I32>;
using VU = hn::Vec<U32>;
using VW =
    hn::Vec<U64>;  // one Philox word in the low half of each 64-bit lane; the high half is junk that nobody reads

// The sequence of one draw. A group is Lanes(U32) blocks, hence four vectors of numbers.
class Blocks {
 public:
  Blocks(const GeneratorState& state, std::uint64_t first) {
    const U64 d;
    PhiloxKey key = {static_cast<std::uint32_t>(state.seed), static_cast<std::uint32_t>(state.seed >> 32)};
    for (int round = 0; round < kPhiloxRounds; ++round) {
      keys0_[round] = key[0];
      keys1_[round] = key[1];
      key[0] += kPhiloxWeyl0;
      key[1] += kPhiloxWeyl1;
    }
    // Lane 4b + j of a group works on block B * j + b, where B is the number of 128-bit blocks of a vector: then a 4 x
    // 4 transpose inside the 128-bit blocks alone brings the numbers into natural order.
    const std::size_t wide = hn::Lanes(U32()) / 4;
    HWY_ALIGN std::uint64_t even[HWY_MAX_BYTES / 8];
    HWY_ALIGN std::uint64_t odd[HWY_MAX_BYTES / 8];
    for (std::size_t lane = 0; lane < hn::Lanes(d); ++lane) {
      const std::size_t column = lane % 2 * 2;  // 32-bit lanes 2 * lane and 2 * lane + 1 of the group
      even[lane] = first + wide * column + lane / 2;
      odd[lane] = first + wide * (column + 1) + lane / 2;
    }
    even_ = hn::Load(d, even);
    odd_ = hn::Load(d, odd);
    word2_ = hn::Set(d, state.subsequence & 0xFFFFFFFF);
    word3_ = hn::Set(d, state.subsequence >> 32);
  }

  // The words of the next group; w0..w3 hold the same block in the same lane.
  HWY_INLINE void next(VU& w0, VU& w1, VU& w2, VU& w3) {
    const U64 d;
    VW e0 = even_, e1 = hn::ShiftRight<32>(even_), e2 = word2_, e3 = word3_;
    VW o0 = odd_, o1 = hn::ShiftRight<32>(odd_), o2 = word2_, o3 = word3_;
    const VW step = hn::Set(d, hn::Lanes(U32()));
    even_ = hn::Add(even_, step);
    odd_ = hn::Add(odd_, step);
    HWY_UNROLL(10)
    for (int i = 0; i < kPhiloxRounds; ++i) {
      const VW key0 = hn::Set(d, keys0_[i]);
      const VW key1 = hn::Set(d, keys1_[i]);
      round(key0, key1, e0, e1, e2, e3);
      round(key0, key1, o0, o1, o2, o3);
    }
    w0 = join(e0, o0);
    w1 = join(e1, o1);
    w2 = join(e2, o2);
    w3 = join(e3, o3);
  }

 private:
  static HWY_INLINE void round(VW key0, VW key1, VW& x0, VW& x1, VW& x2, VW& x3) {
    const U32 d;  // MulEven reads the low half of each 64-bit lane, the junk in the high halves costs nothing
    const VW product0 = hn::MulEven(hn::BitCast(d, x0), hn::Set(d, kPhiloxMultiplier0));
    const VW product1 = hn::MulEven(hn::BitCast(d, x2), hn::Set(d, kPhiloxMultiplier1));
    x0 = hn::Xor3(hn::ShiftRight<32>(product1), x1, key0);
    x2 = hn::Xor3(hn::ShiftRight<32>(product0), x3, key1);
    x1 = product1;
    x3 = product0;
  }

  static HWY_INLINE VU join(VW even, VW odd) {
    const U32 d;
    return hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
  }

  VW even_, odd_;  // block numbers of the next group's even and odd 32-bit lanes
  VW word2_, word3_;
  std::uint64_t keys0_[kPhiloxRounds], keys1_[kPhiloxRounds];
};

// sqrt(-2 ln(((word >> 8) + 1) * 2^-24)). The fraction m is brought to [sqrt(1/2), sqrt(2)), and -2 ln(m) / (m - 1) is
// a polynomial of degree 7 (minimax, relative error 1.7e-7). Exact 0 where the argument is 1.
HWY_INLINE VF radius(VU word) {
  const F32 d;
  const I32 di;
  const VI integer = hn::BitCast(di, hn::Add(hn::ShiftRight<8>(word), hn::Set(U32(), 1)));
  const VI bits = hn::BitCast(di, hn::ConvertTo(d, integer));
  constexpr std::int32_t kSqrtHalf = 0x3F3504F3;
  // Subtracting 24 exponents more here makes the exponent that of integer * 2^-24.
  const VI shifted = hn::Sub(bits, hn::Set(di, kSqrtHalf + (24 << 23)));
  const VF exponent = hn::ConvertTo(d, hn::ShiftRight<23>(shifted));
  const VI fraction = hn::Add(hn::And(shifted, hn::Set(di, 0x7FFFFF)), hn::Set(di, kSqrtHalf));
  const VF f = hn::Sub(hn::BitCast(d, fraction), hn::Set(d, 1.0F));
  VF p = hn::Set(d, 0.202137815F);
  p = hn::MulAdd(p, f, hn::Set(d, -0.324451573F));
  p = hn::MulAdd(p, f, hn::Set(d, 0.345016609F));
  p = hn::MulAdd(p, f, hn::Set(d, -0.398003315F));
  p = hn::MulAdd(p, f, hn::Set(d, 0.499398181F));
  p = hn::MulAdd(p, f, hn::Set(d, -0.666701179F));
  p = hn::MulAdd(p, f, hn::Set(d, 1.0000073F));
  p = hn::MulAdd(p, f, hn::Set(d, -1.99999989F));
  return hn::Sqrt(hn::MulAdd(p, f, hn::Mul(exponent, hn::Set(d, -1.38629436F))));
}

// r * cos and r * sin of word * 2^-32 turns. The angle is reduced exactly to x in [-1, 1) quarter turns around the
// nearest half turn; an odd half turn changes the sign of both, which r carries. No selection is needed, as the
// polynomials (minimax, absolute errors 5e-8 and 3.4e-9) span the half turn.
HWY_INLINE void box_muller(VU radius_word, VU angle_word, VF& cosine, VF& sine) {
  const F32 d;
  const I32 di;
  const VU doubled = hn::ShiftLeft<1>(angle_word);
  const VF x = hn::Mul(hn::ConvertTo(d, hn::BitCast(di, doubled)), hn::Set(d, 0x1p-31F));
  const VU flip = hn::And(hn::Xor(angle_word, doubled), hn::Set(U32(), 0x80000000));
  const VF r = hn::Xor(radius(radius_word), hn::BitCast(d, flip));
  const VF y = hn::Mul(x, x);
  VF c = hn::Set(d, 0.000858191633F);
  VF s = hn::Set(d, 0.000150820567F);
  c = hn::MulAdd(c, y, hn::Set(d, -0.0208106298F));
  s = hn::MulAdd(s, y, hn::Set(d, -0.00467222793F));
  c = hn::MulAdd(c, y, hn::Set(d, 0.253650746F));
  s = hn::MulAdd(s, y, hn::Set(d, 0.0796884805F));
  c = hn::MulAdd(c, y, hn::Set(d, -1.23369822F));
  s = hn::MulAdd(s, y, hn::Set(d, -0.64596336F));
  c = hn::MulAdd(c, y, hn::Set(d, 0.999999954F));
  s = hn::MulAdd(s, y, hn::Set(d, 1.57079629F));
  cosine = hn::Mul(r, c);
  sine = hn::Mul(hn::Mul(r, x), s);
}

struct Normal {
  static HWY_INLINE void numbers(VU w0, VU w1, VU w2, VU w3, VF& n0, VF& n1, VF& n2, VF& n3) {
    box_muller(w0, w1, n0, n1);
    box_muller(w2, w3, n2, n3);
  }
};

struct Uniform {
  static HWY_INLINE VF number(VU word) {
    const F32 d;
    return hn::Mul(hn::ConvertTo(d, hn::BitCast(I32(), hn::ShiftRight<8>(word))), hn::Set(d, 0x1p-24F));
  }
  static HWY_INLINE void numbers(VU w0, VU w1, VU w2, VU w3, VF& n0, VF& n1, VF& n2, VF& n3) {
    n0 = number(w0);
    n1 = number(w1);
    n2 = number(w2);
    n3 = number(w3);
  }
};

template <class Distribution>
HWY_INLINE void store_group(Blocks& blocks, float* out) {
  const F32 d;
  const U64 wide;
  VU w0, w1, w2, w3;
  blocks.next(w0, w1, w2, w3);
  VF n0, n1, n2, n3;
  Distribution::numbers(w0, w1, w2, w3, n0, n1, n2, n3);
  const VW low01 = hn::BitCast(wide, hn::InterleaveLower(d, n0, n1));
  const VW low23 = hn::BitCast(wide, hn::InterleaveLower(d, n2, n3));
  const VW high01 = hn::BitCast(wide, hn::InterleaveUpper(d, n0, n1));
  const VW high23 = hn::BitCast(wide, hn::InterleaveUpper(d, n2, n3));
  const std::size_t lanes = hn::Lanes(d);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, low01, low23)), d, out);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, low01, low23)), d, out + lanes);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, high01, high23)), d, out + 2 * lanes);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, high01, high23)), d, out + 3 * lanes);
}

template <class Distribution>
HWY_INLINE void draw(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) {
  Blocks blocks(state, state.block + block_offset);
  const std::uint64_t group = 4 * hn::Lanes(F32());
  for (; count >= group; count -= group, out += group) store_group<Distribution>(blocks, out);
  if (count > 0) {
    float last[HWY_MAX_BYTES];
    store_group<Distribution>(blocks, last);
    std::memcpy(out, last, count * sizeof(float));
  }
}

void normals(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) {
  draw<Normal>(state, block_offset, count, out);
}

void uniforms(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) {
  draw<Uniform>(state, block_offset, count, out);
}

#endif

}  // namespace HEDDLE_NS::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace HEDDLE_NS::cpu {

HWY_EXPORT(normals);
HWY_EXPORT(uniforms);

void simd_normals(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(normals)(state, block_offset, count, out);
}

void simd_uniforms(const GeneratorState& state, std::uint64_t block_offset, std::uint64_t count, float* out) noexcept {
  HWY_DYNAMIC_DISPATCH(uniforms)(state, block_offset, count, out);
}

}  // namespace HEDDLE_NS::cpu
#endif
