#include "heddle/backends/cuda/cublaslt/plan_table.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/kernels/launch.hpp"

namespace HEDDLE_NS::cuda {

namespace {

constexpr std::size_t kLeastWorkspace = std::size_t{1} << 20;
constexpr std::size_t kMostWorkspace = std::size_t{32} << 20;

std::uint8_t alignment_of(const void* pointer) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  return static_cast<std::uint8_t>(address % 16 == 0 ? 16 : address & ~(address - 1));
}

cudaDataType_t data_type(std::uint8_t dtype) noexcept {
  switch (static_cast<Dtype>(dtype)) {
    case Dtype::kFloat16: return CUDA_R_16F;
    case Dtype::kBFloat16: return CUDA_R_16BF;
    case Dtype::kFloat32: break;
  }
  return CUDA_R_32F;
}

// Room for a few partial results of the output's size, so that small products request little.
std::size_t workspace_bound(const PlanKey& key) noexcept {
  const auto outputs = static_cast<std::size_t>(key.m * key.n * key.batch);
  return std::clamp(outputs * 4 * sizeof(float), kLeastWorkspace, kMostWorkspace);
}

}  // namespace

PlanKey PlanKey::of(const MatmulArgs& args, Dtype dtype) noexcept {
  return {args.m,
          args.n,
          args.k,
          args.batch,
          args.lda,
          args.ldb,
          args.a_batch_stride,
          args.b_batch_stride,
          static_cast<std::uint8_t>(dtype),
          static_cast<std::uint8_t>(args.transpose_a != 0),
          static_cast<std::uint8_t>(args.transpose_b != 0),
          static_cast<std::uint8_t>(args.bias != nullptr),
          alignment_of(args.a),
          alignment_of(args.b),
          alignment_of(args.out),
          alignment_of(args.bias)};
}

static_assert(sizeof(PlanKey) == 9 * sizeof(std::uint64_t), "compared as bytes");

bool PlanKey::operator==(const PlanKey& other) const noexcept { return std::memcmp(this, &other, sizeof(*this)) == 0; }

std::uint64_t PlanKey::hash() const noexcept {
  std::uint64_t words[9];
  std::memcpy(words, this, sizeof(words));
  std::uint64_t hash = 0;
  for (const std::uint64_t word : words) hash = std::rotl((hash ^ word) * 0x9E3779B97F4A7C15, 29);
  return hash;
}

PlanTable::PlanTable(const CublasLt& library, CudaMatmul matmul, int device)
    : matmul_(matmul), slots_(kSlots), handle_(library, device) {}

Status PlanTable::open() { return handle_.create(); }

const Plan& PlanTable::plan(const MatmulArgs& args, Dtype dtype) {
  if (is_small_matmul(args, dtype)) return small_;
  if (args.k == 0) return plain_;
  const PlanKey key = PlanKey::of(args, dtype);
  if (const Plan* known = find(key)) return *known;
  sync::MutexLock lock(mutex_);
  if (const Plan* known = find(key)) return *known;
  if (plans_.size() == kMostPlans) return plain_;
  plans_.push_back(make(key));
  const Plan* const plan = plans_.back().get();
  std::size_t slot = key.hash() % kSlots;
  while (slots_[slot].load(sync::relaxed) != nullptr) slot = (slot + 1) % kSlots;
  slots_[slot].store(plan, sync::release);
  return *plan;
}

std::size_t PlanTable::plans() const {
  sync::MutexLock lock(mutex_);
  return plans_.size();
}

const Plan* PlanTable::find(const PlanKey& key) const noexcept {
  for (std::size_t slot = key.hash() % kSlots;; slot = (slot + 1) % kSlots) {
    const Plan* const plan = slots_[slot].load(sync::acquire);
    if (plan == nullptr || plan->key == key) return plan;
  }
}

std::unique_ptr<Plan> PlanTable::make(const PlanKey& key) const {
  const CurrentDevice current(handle_.device());
  auto plan = std::make_unique<Plan>();
  plan->key = key;
  if (ask(*plan).ok()) {
    plan->by = MatmulBy::kLibrary;
  } else {
    plan->workspace = 0;
  }
  return plan;
}

// Row-major out = a b is column-major out' = b' a': the library's first operand is b, its rows are our columns.
Status PlanTable::ask(Plan& plan) const {
  const PlanKey& key = plan.key;
  Status status;
  const auto did = [&status](cublasStatus_t result, const char* call) {
    if (status.ok()) status = to_status(result, call);
    return status.ok();
  };
  const bool full = matmul_ == CudaMatmul::kFull || static_cast<Dtype>(key.dtype) != Dtype::kFloat32;
  plan.compute = full ? CUBLAS_COMPUTE_32F : CUBLAS_COMPUTE_32F_FAST_TF32;
  // Any non-null address: the heuristic needs to know only that there is a bias.
  if (status = describe(key, plan.compute, key.has_bias != 0 ? &plan : nullptr, &plan.desc); !status.ok())
    return status;

  const auto layout = [&](cublasLtMatrixLayoutOpaque_t* out, std::int64_t rows, std::int64_t columns, bool transposed,
                          std::int64_t ld, std::int64_t stride) {
    if (transposed) std::swap(rows, columns);
    did(library().layout_init(out, sizeof(*out), data_type(key.dtype), static_cast<std::uint64_t>(rows),
                              static_cast<std::uint64_t>(columns), ld),
        "cublasLtMatrixLayoutInit");
    if (key.batch == 1) return;
    const auto batch = static_cast<std::int32_t>(key.batch);
    did(library().layout_set(out, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof(batch)), "batch count");
    did(library().layout_set(out, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof(stride)),
        "batch stride");
  };
  if (key.batch > 0x7FFFFFFF) return {ErrorKind::kUnsupported, "too many products"};
  layout(&plan.b, key.n, key.k, key.transpose_b != 0, key.ldb, key.b_batch_stride);
  layout(&plan.a, key.k, key.m, key.transpose_a != 0, key.lda, key.a_batch_stride);
  layout(&plan.out, key.n, key.m, false, key.n, key.m * key.n);

  cublasLtMatmulPreferenceOpaque_t preference{};
  did(library().preference_init(&preference, sizeof(preference)), "cublasLtMatmulPreferenceInit");
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
    did(library().preference_set(&preference, attribute, &value, sizeof(value)),
        "cublasLtMatmulPreferenceSetAttribute");
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{workspace_bound(key)});
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, std::uint32_t{key.b_alignment});
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, std::uint32_t{key.a_alignment});
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, std::uint32_t{key.out_alignment});
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, std::uint32_t{key.out_alignment});
  if (!status.ok()) return status;

  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  status = cublas_call("cublasLtMatmulAlgoGetHeuristic", [&] {
    return library().heuristic(handle_.get(), &plan.desc, &plan.b, &plan.a, &plan.out, &plan.out, &preference, 1,
                               &result, &found);
  });
  if (!status.ok()) return status;
  if (found == 0 || result.state != CUBLAS_STATUS_SUCCESS) return {ErrorKind::kUnsupported, "no algorithm"};
  plan.algo = result.algo;
  plan.workspace = result.workspaceSize;
  return {};
}

Status PlanTable::describe(const PlanKey& key, cublasComputeType_t compute, const void* bias,
                           cublasLtMatmulDescOpaque_t* out) const {
  Status status = to_status(library().desc_init(out, sizeof(*out), compute, CUDA_R_32F), "cublasLtMatmulDescInit");
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
    if (!status.ok()) return;
    status = to_status(library().desc_set(out, attribute, &value, sizeof(value)), "cublasLtMatmulDescSetAttribute");
  };
  if (key.transpose_b != 0) set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  if (key.transpose_a != 0) set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_T);
  if (bias != nullptr) {
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  }
  return status;
}

}  // namespace HEDDLE_NS::cuda
