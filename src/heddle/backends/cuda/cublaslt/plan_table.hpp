// PlanTable: how cuBLASLt computes each shape of product: descriptors, algorithm, workspace.
//
// The library's heuristic takes tens of microseconds, so it runs once per shape, when the first product of that shape
// is recorded. One lookup in an append-only table then gives recording the workspace and submission the algorithm.
// Recorded and submitted products of a shape thus always use the same algorithm. When the table is full, our own kernel
// computes further shapes (slower, but correct).
// Thread safety: all members, from any thread. Locks: mutex_ (kPrimitiveCache), only for new shapes.
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

// Everything that decides how a product is computed. Compared as bytes: no padding.
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

  // Call before the first plan(): acquires what the heuristic needs. A later failure would condemn one arbitrary shape
  // to the slow kernel forever.
  Status open();
  // Never fails: products that the library refuses are planned for our own kernel.
  const Plan& plan(const MatmulArgs& args, Dtype dtype);
  std::size_t plans() const;

  // Descriptor of a product; `bias`: its address, or null.
  Status describe(const PlanKey& key, cublasComputeType_t compute, const void* bias,
                  cublasLtMatmulDescOpaque_t* out) const;

 private:
  static constexpr std::size_t kSlots = 2 * kMostPlans;  // so that a probe sequence is short
  const Plan* find(const PlanKey& key) const noexcept;
  std::unique_ptr<Plan> make(const PlanKey& key) const HEDDLE_REQUIRES(mutex_);
  Status ask(Plan& plan) const HEDDLE_REQUIRES(mutex_);
  const CublasLt& library() const noexcept { return handle_.library(); }

  const CudaMatmul matmul_;
  const Plan plain_{};  // if the library does not compute the shape, or the table is full
  const Plan small_{.by = MatmulBy::kSmallKernel};
  std::vector<sync::Atomic<const Plan*>> slots_;  // open addressing; release when a plan is added, acquire in find()
  CublasLtHandle handle_;                         // for the heuristic; used by the holder of mutex_
  mutable sync::Mutex mutex_{Rank::kPrimitiveCache};
  std::vector<std::unique_ptr<const Plan>> plans_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS::cuda
