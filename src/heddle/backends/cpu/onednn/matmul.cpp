// oneDNN through its sgemm call instead of its matmul primitive. Measured on one AVX-512 core (Zen 5, oneDNN 2.6.3),
// microseconds for square products of 64 / 128 / 256 / 1024: sgemm 2.5 / 17.8 / 140 / 9170, a kept matmul primitive 2.4
// / 18.3 / 140 / 9390; with a transposed right side 3.6 / 19.4 / 149 / 9320 against 2.7 / 18.2 / 145 / 9350. So sgemm
// loses at most a microsecond, in small transposed products. It needs no cache of primitives (a new shape costs 130 us
// there) and no scratch memory from us, and it throws nothing. It packs large operands into its own buffers, which it
// allocates and frees within the call.
#include "heddle/backends/cpu/onednn/matmul.hpp"

#include <dnnl.h>
#include <fmt/format.h>
#include <omp.h>
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>

#include "heddle/backends/cpu/kernels/kernels.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS::cpu {

namespace {

// libgomp keeps a thread's settings in an object of about 200 bytes, and ends the process if it gets no memory for it.
// So this allocates and frees that memory first: an allocator returns a size that a thread has just freed to the same
// thread. Throws bad_alloc. Covers the sizes of other libgomp versions too.
void require_openmp_memory() {
  struct Tag {};
  bool& checked = sync::ThreadLocal<bool, Tag>::get();
  if (checked) return;
  constexpr std::size_t kLeast = 160, kMost = 512, kStep = 16;
  std::array<void*, (kMost - kLeast) / kStep + 1> pieces{};
  std::size_t got = 0;
  while (got < pieces.size() && (pieces[got] = std::malloc(kLeast + got * kStep)) != nullptr) ++got;
  for (std::size_t i = 0; i < got; ++i) std::free(pieces[i]);
  if (got < pieces.size()) throw std::bad_alloc();
  checked = true;
}

// The calling thread computes alone: the backend already has one thread per core, and after a parallel region of the
// OpenMP runtime a fork()ed child would hang. The setting belongs to the calling thread and is restored.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ == 1) return;
    require_openmp_memory();
    omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// False if oneDNN refuses, for example a leading dimension below the row length (a single broadcast row). Throws
// bad_alloc if oneDNN has no memory: the portable kernel would work, but its sums differ in their last bits.
bool multiply(const MatmulArgs& args, const float* a, const float* b, float* out) {
  const float beta = args.bias != nullptr ? 1.0F : 0.0F;
  const dnnl_status_t status = dnnl_sgemm(args.transpose_a != 0 ? 'T' : 'N', args.transpose_b != 0 ? 'T' : 'N', args.m,
                                          args.n, args.k, 1.0F, a, args.lda, b, args.ldb, beta, out, args.n);
  if (status == dnnl_out_of_memory) throw std::bad_alloc();
  return status == dnnl_success;
}

// Writes the bias into `out`; oneDNN then adds the product to it.
void set_rows(const MatmulArgs& args, float* out) noexcept {
  const auto* bias = static_cast<const float*>(args.bias);
  for (std::int64_t m = 0; m < args.m; ++m) {
    for (std::int64_t n = 0; n < args.n; ++n) out[m * args.n + n] = bias[n];
  }
}

void matmul(const CommandView& command, KernelContext& context) {
  if (command.dtype() != Dtype::kFloat32) {
    matmul_portable(command, context);
    return;
  }
  const auto args = command.args<MatmulArgs>();
  if (args.k == 0) {
    matmul_portable(args);
    return;
  }
  const OneThread alone;
  const auto* a = static_cast<const float*>(args.a);
  const auto* b = static_cast<const float*>(args.b);
  auto* out = static_cast<float*>(args.out);
  for (std::int64_t i = 0; i < args.batch; ++i) {
    float* result = out + i * args.m * args.n;
    if (args.bias != nullptr) set_rows(args, result);
    if (!multiply(args, a + i * args.a_batch_stride, b + i * args.b_batch_stride, result)) {
      matmul_portable(args);  // all of it: oneDNN either takes every product of a batch or none
      return;
    }
  }
}

// Preparing takes 18 MiB and 4 mappings (oneDNN 2.6.3, AVX-512).
constexpr std::size_t kPreparedBytes = std::size_t{32} << 20;
constexpr std::size_t kPreparedMappings = 16;

// Whether the system would provide that much now.
bool has_room_to_prepare() noexcept {
  void* const room = mmap(nullptr, kPreparedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return false;
  constexpr std::size_t kPiece = kPreparedBytes / kPreparedMappings;
  bool enough = true;
  for (std::size_t piece = 0; piece < kPreparedMappings && enough;
       piece += 2) {  // protecting every other piece makes it a mapping of its own
    enough = mprotect(static_cast<std::byte*>(room) + piece * kPiece, kPiece, PROT_NONE) == 0;
  }
  munmap(room, kPreparedBytes);
  return enough;
}

}  // namespace

Kernel onednn_matmul() noexcept { return matmul; }

Status onednn_preload() {
  static sync::Atomic<bool> prepared{false};
  if (!prepared.load() && !has_room_to_prepare()) {
    return {
        ErrorKind::kOutOfMemory,
        fmt::format("the system refuses {} MiB and {} mappings that oneDNN may take to prepare its kernels, and oneDNN "
                    "ends the process if it gets too little; allow the process more memory, or set "
                    "HEDDLE_CPU_KERNELS=portable",
                    kPreparedBytes >> 20, kPreparedMappings)};
  }
  // One product of each kind: the generated code depends on the transpositions and on adding to the output.
  constexpr std::int64_t kSize = 4;
  const std::array<float, kSize * kSize> zeros{};
  std::array<float, kSize * kSize> out{};
  const OneThread alone;
  for (const char a : {'N', 'T'}) {
    for (const char b : {'N', 'T'}) {
      for (const float beta : {0.0F, 1.0F}) {
        static_cast<void>(dnnl_sgemm(a, b, kSize, kSize, kSize, 1.0F, zeros.data(), kSize, zeros.data(), kSize, beta,
                                     out.data(), kSize));
      }
    }
  }
  prepared.store(true);
  return {};
}

std::string onednn_description() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch) + " sgemm, one thread";
}

}  // namespace HEDDLE_NS::cpu
