// PlanTable: how cuBLASLt computes each shape of product: descriptors, algorithm, workspace.
//
// The library's heuristic takes tens of microseconds, so it is asked once for each shape, by whoever records the first
// product of it; recording then finds the workspace, and submitting the algorithm, with one look at a table that is
// only added to. Recorded and submitted products of a shape thus always use the same algorithm. When the table is full,
// further shapes are computed by the kernel of our own (slower, and right).
// Thread safety: all members, from any thread. Locks: mutex_ (kPrimitiveCache), only for shapes not seen before.
// Invariants: 1. A plan never changes and lives as long as the table.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "heddle/backends/cuda/cublaslt/library.hpp"
#include "heddle/backends/cuda/open.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/device/kernel_args.hpp"
#include "heddle/dtype.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cuda {

// All that decides how a product is computed. Compared as bytes: no padding.
struct PlanKey {
  std::int64_t m, n, k, batch, lda, ldb, a_batch_stride, b_batch_stride;
  std::uint8_t dtype, transpose_a, transpose_b, has_bias;
  std::uint8_t a_alignment, b_alignment, out_alignment, bias_alignment;  // bytes, 16 at most

  static PlanKey of(const MatmulArgs& args, Dtype dtype) noexcept;
  bool operator==(const PlanKey& other) const noexcept;
  std::uint64_t hash() const noexcept;
};

enum class MatmulBy : std::uint8_t { kLibrary, kSmallKernel, kPlainKernel };

struct Plan {
  PlanKey key{};
  MatmulBy by = MatmulBy::kPlainKernel;
  std::size_t workspace = 0;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cublasLtMatmulDescOpaque_t desc{};  // without the bias's address
  cublasLtMatrixLayoutOpaque_t a{}, b{}, out{};
  cublasLtMatmulAlgo_t algo{};
};

class PlanTable {
 public:
  static constexpr std::size_t kMostPlans = 8192;

  PlanTable(const CublasLt& library, CudaMatmul matmul, int device);
  PlanTable(const PlanTable&) = delete;
  PlanTable& operator=(const PlanTable&) = delete;

  // Before the first plan(): what asking the library needs. A failure here would otherwise leave a shape, whichever is
  // asked about first, with the slow kernel for ever.
  Status open();
  // Never fails: what the library refuses is planned for our own kernel.
  const Plan& plan(const MatmulArgs& args, Dtype dtype);
  std::size_t plans() const;

  // Descriptor of a product; `bias`: its address, null for none.
  Status describe(const PlanKey& key, cublasComputeType_t compute, const void* bias,
                  cublasLtMatmulDescOpaque_t* out) const;

 private:
  static constexpr std::size_t kSlots = 2 * kMostPlans;  // so that a search ends soon
  const Plan* find(const PlanKey& key) const noexcept;
  std::unique_ptr<Plan> make(const PlanKey& key) const HEDDLE_REQUIRES(mutex_);
  Status ask(Plan& plan) const HEDDLE_REQUIRES(mutex_);
  const CublasLt& library() const noexcept { return handle_.library(); }

  const CudaMatmul matmul_;
  const Plan plain_{};  // for what the library does not compute, or the table has no room for
  const Plan small_{.by = MatmulBy::kSmallKernel};
  std::vector<sync::Atomic<const Plan*>> slots_;  // open addressing; release when a plan is put in, acquire in find()
  CublasLtHandle handle_;                         // for the heuristic, by whoever holds mutex_
  mutable sync::Mutex mutex_{Rank::kPrimitiveCache};
  std::vector<std::unique_ptr<const Plan>> plans_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cuda
