#include "heddle/sync/asymmetric_fence.hpp"

#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <mutex>

#include "heddle/base/check.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace HEDDLE_NS::sync {

namespace detail {
std::atomic<FenceMode> fence_mode{FenceMode::kUnknown};

void full_fence() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }
}  // namespace detail

namespace {

long membarrier(int command) noexcept { return syscall(__NR_membarrier, command, 0, 0); }

// A registration covers the whole address space. A process restored from a checkpoint may have lost it.
bool register_and_fence() noexcept {
  return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
         membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;
}

#if defined(__x86_64__)

// Processors that invalidate a page on all others without interrupting them; the kernel uses this from 6.15 on.
bool invalidates_without_interrupt() noexcept {
  constexpr unsigned kFeatures = 0x80000008, kInvlpgb = 1U << 3;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(kFeatures, &a, &b, &c, &d) != 0 && (b & kInvlpgb) != 0;
}

// A page between two inaccessible ones: its mapping never merges with a neighbor, so changing its access needs no
// further mapping. Mapped when the mode is chosen, because a sandbox may refuse it later; never unmapped.
class Page {
 public:
  // Constant-initialized and trivially destroyed: it is used until the process has ended.
  constexpr Page() noexcept = default;

  void prepare() noexcept {
    const std::lock_guard lock(mutex_);
    map();
  }

  // The page must be writable and resident before its access is taken away; otherwise no processor has to be
  // interrupted. The mutex keeps one thread from taking the access while another writes.
  bool take_access() noexcept {
    const std::lock_guard lock(mutex_);
    if (!map() || mprotect(page_, size_, PROT_READ | PROT_WRITE) != 0) return false;
    *static_cast<volatile std::byte*>(page_) = std::byte{1};
    return mprotect(page_, size_, PROT_READ) == 0;
  }

 private:
  bool map() noexcept {
    if (page_ != nullptr) return true;
    size_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void* const pages = mmap(nullptr, 3 * size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return false;
    std::byte* const middle = static_cast<std::byte*>(pages) + size_;
    if (mprotect(middle, size_, PROT_READ | PROT_WRITE) == 0) {
      *middle = std::byte{1};  // makes the page resident now
      if (mprotect(middle, size_, PROT_READ) == 0) page_ = middle;
    }
    if (page_ == nullptr) munmap(pages, 3 * size_);
    return page_ != nullptr;
  }

  std::mutex mutex_;
  std::byte* page_ = nullptr;
  std::size_t size_ = 0;
};

constinit Page page;

void prepare_page() noexcept { page.prepare(); }
bool take_access_of_page() noexcept { return !invalidates_without_interrupt() && page.take_access(); }

#else

// Elsewhere, as on ARM64, the hardware broadcasts the invalidation, which orders nothing on other processors.
void prepare_page() noexcept {}
bool take_access_of_page() noexcept { return false; }

#endif

}  // namespace

bool detail::interrupt_by_page() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const bool interrupted = take_access_of_page();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return interrupted;
}

FenceMode asymmetric_fence_mode() noexcept {
  // Threads that race here may get different answers from the kernel (a sandbox of one thread); the first answer
  // counts. A fast path that still sees kUnknown uses a full fence, which is right with either heavy side.
  FenceMode mode = detail::fence_mode.load(std::memory_order_acquire);
  if (mode != FenceMode::kUnknown) return mode;
  const FenceMode chosen = register_and_fence() ? FenceMode::kMembarrier : FenceMode::kFull;
  if (chosen == FenceMode::kMembarrier) prepare_page();
  return detail::fence_mode.compare_exchange_strong(mode, chosen, std::memory_order_acq_rel) ? chosen : mode;
}

void asymmetric_fence_heavy() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (asymmetric_fence_mode() != FenceMode::kMembarrier) return;
  if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return;
  // Retried each time: the refusal may affect only this thread, and a shortage of memory passes.
  if (register_and_fence() || detail::interrupt_by_page()) return;
  end_process(
      "the system allowed membarrier when the first runtime was opened and refuses it now, and no other fence here "
      "interrupts threads; allow membarrier in the sandbox, or enter it before a runtime is opened");
}

}  // namespace HEDDLE_NS::sync
