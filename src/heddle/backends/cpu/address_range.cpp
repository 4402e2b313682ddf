#include "heddle/backends/cpu/address_range.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <iterator>
#include <new>
#include <utility>

#include "heddle/base/check.hpp"

namespace HEDDLE_NS::cpu {
namespace {

std::size_t round_up(std::size_t bytes, std::size_t to) noexcept { return (bytes + to - 1) / to * to; }

// Addresses without memory, at `where` or anywhere.
void* reserve(void* where, std::size_t bytes) noexcept {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (where != nullptr ? MAP_FIXED : 0);
  void* const mapping = mmap(where, bytes, PROT_NONE, flags, -1, 0);
  return mapping == MAP_FAILED ? nullptr : mapping;
}

}  // namespace

AddressRange::AddressRange(std::size_t bytes) noexcept : bytes_(round_up(bytes, kHugePage)) {
  base_ = static_cast<std::byte*>(reserve(nullptr, bytes_));
  if (base_ == nullptr) {
    bytes_ = 0;
  } else {
    give(base_, bytes_);
  }
}

AddressRange::~AddressRange() {
  if (base_ != nullptr) munmap(base_, bytes_);
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
    const std::size_t behind = size - before - bytes;
    if (behind > 0) free_.emplace(found + bytes, behind);
    if (before > 0) {
      span->second = before;
    } else {
      free_.erase(span);
    }
    return found;
  }
  return nullptr;
}

void AddressRange::give(std::byte* base, std::size_t bytes) noexcept {
  sync::MutexLock lock(mutex_);
  auto next = free_.lower_bound(base);
  if (next != free_.begin()) {
    const auto previous = std::prev(next);
    if (previous->first + previous->second == base) {
      previous->second += bytes;
      if (next != free_.end() && base + bytes == next->first) {
        previous->second += next->second;
        free_.erase(next);
      }
      return;
    }
  }
  if (next != free_.end() && base + bytes == next->first) {
    auto joined = free_.extract(next++);
    joined.key() = base;
    joined.mapped() += bytes;
    free_.insert(next, std::move(joined));
    return;
  }
  try {
    free_.emplace_hint(next, base, bytes);
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch)
    // Lost until the range goes: addresses, of which there are plenty, not memory.
  }
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
    give(segment, whole);
    errno = error;
    return nullptr;
  }
  // Advice: where it is refused, pages are small.
  if (whole >= kHugePage) madvise(segment, whole, MADV_HUGEPAGE);
  return segment;
}

void AddressRange::release(void* segment, std::size_t bytes) noexcept {
  const std::size_t whole = round_up(bytes, kPage);
  // Takes the memory and the access away in one step; the addresses stay ours.
  HEDDLE_CHECK(reserve(segment, whole) != nullptr, "the system refuses to take a segment's memory back");
  give(static_cast<std::byte*>(segment), whole);
}

}  // namespace HEDDLE_NS::cpu
