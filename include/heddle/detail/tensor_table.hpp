// Internal to heddle: may change at any time. The tensors whose memory was handed out as a pointer, by that pointer.
//
// Thread safety: all members. Locks: one mutex (kLeaf), not held while memory is freed.
#pragma once

#include <memory>

#include "heddle/detail/namespace.hpp"
#include "heddle/tensor.hpp"

namespace HEDDLE_NS {

class HEDDLE_API TensorTable {
 public:
  TensorTable();
  ~TensorTable();
  TensorTable(const TensorTable&) = delete;
  TensorTable& operator=(const TensorTable&) = delete;

  // Returns tensor.data(). Throws bad_alloc.
  void* add(Tensor tensor);
  // The tensor of `memory`, no longer in the table; undefined where it is not there, and in a forked child.
  Tensor remove(void* memory) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace HEDDLE_NS
