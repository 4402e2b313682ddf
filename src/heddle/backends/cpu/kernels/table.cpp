// Which function executes which operation. A new kernel adds its row here and its declaration to kernels.hpp.
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
  Kernel best;
  Kernel portable;
  bool half = false;  // also for float16 and bfloat16, by the portable kernel
};

constexpr KernelTable<Row> kTable{{{
    {KernelId::kRandn, randn_simd, randn_portable},
    {KernelId::kUniform, uniform_simd, uniform_portable},
    {KernelId::kAdvance, advance, advance},
    {KernelId::kFill, fill, fill},
    {KernelId::kCopyBytes, copy_bytes, copy_bytes, true},
    {KernelId::kCopy, copy, copy, true},
    {KernelId::kCast, cast, cast, true},
    {KernelId::kRelu, relu, relu, true},
    {KernelId::kAdd, add, add, true},
    {KernelId::kSub, sub, sub, true},
    {KernelId::kMul, mul, mul, true},
    {KernelId::kDiv, div, div, true},
    {KernelId::kMatmul, matmul_portable, matmul_portable, true},  // best: oneDNN's where it is built in
    {KernelId::kSum, sum, sum},
    {KernelId::kMean, mean, mean},
    {KernelId::kStack, stack, stack, true},
    {KernelId::kTimestamp, timestamp, timestamp},
    {KernelId::kCustom, custom, custom},
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

std::size_t matmul_workspace_bytes(const MatmulArgs& args, bool best) {
  return best ? onednn_workspace_bytes(args) : 0;
}

std::string describe_kernels(bool best) {
  const std::string matmul = best && onednn_matmul() != nullptr ? onednn_description() : "portable";
  // The lowest bit is the widest target; what this processor lacks is not in the mask.
  const auto targets = static_cast<std::uint64_t>(hwy::SupportedTargets() & HWY_TARGETS);
  const auto widest = static_cast<std::int64_t>(std::uint64_t{1} << std::countr_zero(targets));
  const std::string vectors = std::string("Highway ") + hwy::TargetName(widest);
  return "matmul: " + matmul + ", random: " + (best ? vectors : "portable") + ", others: " + vectors;
}

}  // namespace HEDDLE_NS::cpu
