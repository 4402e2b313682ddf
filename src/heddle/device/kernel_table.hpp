// KernelTable: what a backend has for each kernel. A Row has `KernelId id` and `DtypeSet dtypes`, the types of the
// command that it executes; the rest is the backend's.
//
// That there is one row for each KernelId, in its order, is checked when the table is compiled. Thread safety:
// immutable.
#pragma once

#include <array>

#include "heddle/base/namespace.hpp"
#include "heddle/device/dtype.hpp"
#include "heddle/device/kernel_id.hpp"

namespace HEDDLE_NS {

template <class Row>
class KernelTable {
 public:
  consteval explicit KernelTable(const std::array<Row, kKernelCount>& rows) : rows_(rows) {
    for (std::size_t i = 0; i < kKernelCount; ++i) {
      if (rows_[i].id != static_cast<KernelId>(i)) throw "one row for each KernelId, in its order";
    }
  }

  // Null for what is no kernel, as a damaged list may ask for.
  constexpr const Row* find(KernelId id) const noexcept {
    return id < KernelId::kCount ? &rows_[static_cast<std::size_t>(id)] : nullptr;
  }
  constexpr bool supports(KernelId id, Dtype dtype) const noexcept {
    const Row* const row = find(id);
    return row != nullptr && row->dtypes.contains(dtype);
  }

 private:
  std::array<Row, kKernelCount> rows_;
};

}  // namespace HEDDLE_NS
