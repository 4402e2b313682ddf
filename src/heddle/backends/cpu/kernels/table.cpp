// Which function executes which kernel. A new one adds its row here and its declaration to kernels.hpp; the elementwise
// functions come from their list.
#include <hwy/targets.h>

#include <bit>
#include <cstdint>
#include <string>

#include "heddle/backends/cpu/kernels/kernel.hpp"
#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/backends/cpu/onednn/matmul.hpp"
#include "heddle/device/kernel_table.hpp"

namespace HEDDLE_NS::cpu {

namespace {

struct Row {
  KernelId id;
  DtypeSet dtypes;  // float16 and bfloat16 by the portable kernel
  Kernel best;
  Kernel portable;
};

constexpr KernelTable<Row> kTable{{{
    {KernelId::kRandn, kOnlyFloat32, randn_simd, randn_portable},
    {KernelId::kUniform, kOnlyFloat32, uniform_simd, uniform_portable},
    {KernelId::kAdvance, kOnlyFloat32, advance, advance},
    {KernelId::kFill, kOnlyFloat32, fill, fill},
    {KernelId::kUpload, kAllFloats, upload, upload},
    {KernelId::kCopyBytes, kAllFloats, copy_bytes, copy_bytes},
    {KernelId::kCopy, kAllFloats, copy, copy},
    {KernelId::kCast, kAllFloats, cast, cast},
#define HEDDLE_MAP(Id, name, inputs, ...) {KernelId::k##Id, kAllFloats, map<KernelId::k##Id>, map<KernelId::k##Id>},
#include "heddle/device/maps-inl.h"
    {KernelId::kMatmul, kAllFloats, matmul_portable, matmul_portable},  // best: oneDNN's where it is built in
    {KernelId::kSum, kOnlyFloat32, sum, sum},
    {KernelId::kMean, kOnlyFloat32, mean, mean},
    {KernelId::kStack, kAllFloats, stack, stack},
    {KernelId::kTimestamp, kOnlyFloat32, timestamp, timestamp},
    {KernelId::kCustom, kOnlyFloat32, custom, custom},
}}};

}  // namespace

Kernel find_kernel(KernelId id, bool best) noexcept {
  const Row* const row = kTable.find(id);
  if (row == nullptr) return nullptr;
  if (!best) return row->portable;
  const Kernel onednn = id == KernelId::kMatmul ? onednn_matmul() : nullptr;
  return onednn != nullptr ? onednn : row->best;
}

bool has_kernel(KernelId id, Dtype dtype) noexcept { return kTable.supports(id, dtype); }

std::string describe_kernels(bool best) {
  const std::string matmul = best && onednn_matmul() != nullptr ? onednn_description() : "portable";
  // The lowest bit is the widest target; what this processor lacks is not in the mask.
  const auto targets = static_cast<std::uint64_t>(hwy::SupportedTargets() & HWY_TARGETS);
  const auto widest = static_cast<std::int64_t>(std::uint64_t{1} << std::countr_zero(targets));
  const std::string vectors = std::string("Highway ") + hwy::TargetName(widest);
  return "matmul: " + matmul + ", random: " + (best ? vectors : "portable") + ", others: " + vectors;
}

}  // namespace HEDDLE_NS::cpu
