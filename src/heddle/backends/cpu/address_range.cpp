#include "heddle/backends/cpu/address_range.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <iterator>
#include <new>
#include <utility>

namespace HEDDLE_NS::cpu {
namespace {

#ifdef MADV_DONTNEED_LOCKED
constexpr int kDiscardLocked = MADV_DONTNEED_LOCKED;
#else
constexpr int kDiscardLocked = 24;  // Linux 5.18; the C library's headers may be older than the kernel
#endif

std::size_t round_up(std::size_t bytes, std::size_t to) noexcept { return (bytes + to - 1) / to * to; }

// Reserves addresses without memory, at `where` or anywhere.
void* reserve(void* where, std::size_t bytes) noexcept {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (where != nullptr ? MAP_FIXED : 0);
  void* const mapping = mmap(where, bytes, PROT_NONE, flags, -1, 0);
  return mapping == MAP_FAILED ? nullptr : mapping;
}

}  // namespace

bool discard_pages(void* pages, std::size_t bytes) noexcept {
  // The second call is for pages that the process has locked (mlockall).
  return madvise(pages, bytes, MADV_DONTNEED) == 0 || madvise(pages, bytes, kDiscardLocked) == 0;
}

AddressRange::AddressRange(std::size_t bytes) noexcept : bytes_(round_up(bytes, kHugePage)) {
  if (bytes_ != 0) base_ = static_cast<std::byte*>(reserve(nullptr, bytes_));
  try {
    sync::MutexLock lock(mutex_);
    if (base_ != nullptr) free_.emplace(base_, bytes_);
  } catch (const std::bad_alloc&) {
    munmap(base_, bytes_);
    base_ = nullptr;
  }
  if (base_ == nullptr) bytes_ = 0;
}

AddressRange::~AddressRange() {
  std::byte* from = base_;
  for (const auto& [base, bytes] : used_) {  // invariant 4
    if (base > from) munmap(from, static_cast<std::size_t>(base - from));
    from = base + bytes;
  }
  if (from != base_ + bytes_) munmap(from, static_cast<std::size_t>(base_ + bytes_ - from));
}

std::byte* AddressRange::take(std::size_t bytes) {
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kPage;
  sync::MutexLock lock(mutex_);
  for (auto span = free_.begin(); span != free_.end(); ++span) {
    const auto [base, size] = *span;
    const std::size_t before =
        round_up(reinterpret_cast<std::uintptr_t>(base), alignment) - reinterpret_cast<std::uintptr_t>(base);
    if (size < before || size - before < bytes) continue;
    std::byte* const found = base + before;
    const std::size_t after = size - before - bytes;
    const auto segment = used_.emplace(found, bytes).first;
    try {
      if (after > 0) free_.emplace(found + bytes, after);
    } catch (...) {
      used_.erase(segment);
      throw;
    }
    if (before > 0) {
      span->second = before;
    } else {
      free_.erase(span);
    }
    return found;
  }
  return nullptr;
}

void AddressRange::give(std::byte* base) noexcept {
  sync::MutexLock lock(mutex_);
  Spans::node_type segment = used_.extract(base);
  const std::size_t bytes = segment.mapped();
  const auto next = free_.lower_bound(base);
  const bool joins_next = next != free_.end() && base + bytes == next->first;
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == base) {
      previous->second += bytes + (joins_next ? next->second : 0);
      if (joins_next) free_.erase(next);
      return;
    }
  }
  if (joins_next) {
    segment.mapped() += next->second;
    free_.erase(next);
  }
  free_.insert(std::move(segment));
}

void* AddressRange::allocate(std::size_t bytes) {
  const std::size_t whole = round_up(bytes, kPage);
  std::byte* const segment = take(whole);
  if (segment == nullptr) {
    errno = ENOMEM;
    return nullptr;
  }
  if (mprotect(segment, whole, PROT_READ | PROT_WRITE) != 0) {
    const int error = errno;
    // By now the first pages may be accessible, and resident too if the process locks its mappings.
    release(segment, whole);
    errno = error;
    return nullptr;
  }
  // Advice: if it is refused, pages are small.
  if (whole >= kHugePage) madvise(segment, whole, MADV_HUGEPAGE);
  return segment;
}

void AddressRange::release(void* segment, std::size_t bytes) noexcept {
  const std::size_t whole = round_up(bytes, kPage);
  if (discard_pages(segment, whole)) {
    // A use after release then faults. This may need one more mapping than the process can have.
    mprotect(segment, whole, PROT_NONE);
  } else if (reserve(segment, whole) == nullptr && errno == ENOMEM) {
    // A new mapping in its place would also have freed the memory. ENOMEM may come from before or after the kernel
    // unmapped the old one (invariant 4); after any other error nothing has changed.
    return;
  }
  give(static_cast<std::byte*>(segment));
}

}  // namespace HEDDLE_NS::cpu
