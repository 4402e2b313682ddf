// The elementwise functions: one row each, and everything else about them is generated from it.
//
// HEDDLE_MAP(Id, name, inputs, { the function of a and b, over a machine m })
//
// No include guard: each machine includes this file for itself (host scalars: scalar_maps.hpp; each target of Highway:
// backends/cpu/kernels/rows_simd.cpp; CUDA: backends/cuda/kernels/elementwise.cu). It defines HEDDLE_MAP_FUNCTION, the
// attributes of a function, and gets one struct per row. Whoever needs only the rows defines HEDDLE_MAP instead; both
// macros end with this file. From the rows come KernelId and kernel_name(), the kernels of every backend and what they
// load at start, the operations in ops/, and what the tests run through.
//
// A machine m has a type V of values and the calls number(float), less(a, b), select(condition, yes, no), add, sub, mul,
// div. Each call rounds once, to the nearest float32, so a row gives the same bits on every machine; a new call of a
// machine has to keep that, or to say how far it is off. Functions of one input get b = a.
#ifndef HEDDLE_MAP
#define HEDDLE_MAP(Id, name, inputs, ...)                                                             \
  struct Id {                                                                                         \
    static constexpr int kInputs = inputs;                                                            \
    template <class M, class V = typename M::V>                                                       \
    HEDDLE_MAP_FUNCTION static V apply([[maybe_unused]] M m, V a, [[maybe_unused]] V b) __VA_ARGS__   \
  };
#endif

// A NaN is not below 0 and stays, and so does -0.
HEDDLE_MAP(Relu, relu, 1, { return m.select(m.less(a, m.number(0)), m.number(0), a); })
HEDDLE_MAP(Add, add, 2, { return m.add(a, b); })
HEDDLE_MAP(Sub, sub, 2, { return m.sub(a, b); })
HEDDLE_MAP(Mul, mul, 2, { return m.mul(a, b); })
HEDDLE_MAP(Div, div, 2, { return m.div(a, b); })

#undef HEDDLE_MAP
#undef HEDDLE_MAP_FUNCTION
