// Elementwise kernels. Half-precision numbers are computed in float and rounded once.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/backends/cpu/kernels/loop.hpp"
#include "heddle/backends/cpu/kernels/rows_simd.hpp"
#include "heddle/device/half.hpp"
#include "heddle/device/scalar_maps.hpp"

namespace HEDDLE_NS::cpu {

namespace {

bool is_row(std::int64_t stride) noexcept { return stride == 0 || stride == 1; }

template <KernelId kId, class Function>
struct Map {
  static void row(const LoopDim& dim, const float* a, const float* b, float* out) noexcept {
    if (dim.out_stride == 1 && is_row(dim.a_stride) && is_row(dim.b_stride)) {
      simd_row(kId, static_cast<std::size_t>(dim.extent), a, dim.a_stride == 0, b, dim.b_stride == 0, out);
      return;
    }
    elements(dim, a, b, out);
  }

  template <class T>
  static void row(const LoopDim& dim, const T* a, const T* b, T* out) noexcept {
    elements(dim, a, b, out);
  }

 private:
  template <class T>
  static void elements(const LoopDim& dim, const T* a, const T* b, T* out) noexcept {
    for (std::int64_t i = 0; i < dim.extent; ++i) {
      out[i * dim.out_stride] =
          from_float<T>(Function::apply(maps::Scalars(), to_float(a[i * dim.a_stride]), to_float(b[i * dim.b_stride])));
    }
  }
};

struct Copy {
  template <class T>
  static void row(const LoopDim& dim, const T* a, const T*, T* out) noexcept {
    if (dim.out_stride == 1 && dim.a_stride == 1) {
      if (out != a) std::memcpy(out, a, static_cast<std::size_t>(dim.extent) * sizeof(T));
    } else if (dim.out_stride == 1 && dim.a_stride == 0) {
      std::fill_n(out, dim.extent, *a);
    } else {
      for (std::int64_t i = 0; i < dim.extent; ++i) out[i * dim.out_stride] = a[i * dim.a_stride];
    }
  }
};

struct Cast {
  template <class In, class Out>
  static void row(const LoopDim& dim, const In* a, const In*, Out* out) noexcept {
    for (std::int64_t i = 0; i < dim.extent; ++i) {
      out[i * dim.out_stride] = from_float<Out>(to_float(a[i * dim.a_stride]));
    }
  }
};

template <class Row>
void run(const CommandView& command) noexcept {
  const auto args = command.args<ElementwiseArgs>();
  switch (command.dtype()) {
    case Dtype::kFloat32: return for_each_row<Row, float, float>(args);
    case Dtype::kFloat16: return for_each_row<Row, Float16, Float16>(args);
    case Dtype::kBFloat16: return for_each_row<Row, BFloat16, BFloat16>(args);
  }
}

template <class In>
void cast_from(const CommandView& command) noexcept {
  const auto args = command.args<ElementwiseArgs>();
  switch (command.dtype()) {
    case Dtype::kFloat32: return for_each_row<Cast, In, float>(args);
    case Dtype::kFloat16: return for_each_row<Cast, In, Float16>(args);
    case Dtype::kBFloat16: return for_each_row<Cast, In, BFloat16>(args);
  }
}

}  // namespace

void copy(const CommandView& command, KernelContext&) { run<Copy>(command); }

#define HEDDLE_MAP(Id, name, inputs, ...)                                 \
  template <>                                                             \
  void map<KernelId::k##Id>(const CommandView& command, KernelContext&) { \
    run<Map<KernelId::k##Id, maps::Id>>(command);                         \
  }
#include "heddle/device/maps-inl.h"

void cast(const CommandView& command, KernelContext&) {
  switch (command.source()) {
    case Dtype::kFloat32: return cast_from<float>(command);
    case Dtype::kFloat16: return cast_from<Float16>(command);
    case Dtype::kBFloat16: return cast_from<BFloat16>(command);
  }
}

}  // namespace HEDDLE_NS::cpu
