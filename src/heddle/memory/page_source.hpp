// PageSource: where a device's memory comes from, in segments; and the policies that stand before it.
//
// Contract. Each sentence has a test in tests/page_source_suite, named after its number: 2b is Contract2b_....
//  1a. Segments are multiples of granule(), a power of two of at least 256 that does not change.
//  1b. A segment that was obtained is aligned to at least 4096, and its bytes are the caller's alone.
//  1c. A segment is given back whole, as it was obtained. Its bytes can then be obtained again.
//  2a. A failure is kOutOfMemory or kDeviceError.
//  2b. A failure changes nothing.
//  2c. bad_alloc may be thrown where host memory runs out; nothing is changed then either.
//  3a. Policies are decorators: each is a page source that hands out the segments of another.
//  4a. LimitedPages never has more than its budget.
//  4b. Its bytes are reserved before they are obtained, and free again only after they were given back.
//  4c. Where the budget is used up, the source below is not asked.
//  4d. Where the source below fails, what was reserved is free again.
//  5a. CountedPages counts the segments that were obtained, refused and released.
// Two policies that only tests need, fault and delay, are in tests/memory/page_policies.hpp.
// Thread safety: all members, from any thread; no lock of the allocator's is held around a call, which may block.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/device.hpp"
#include "heddle/error.hpp"
#include "heddle/memory/budget.hpp"
#include "heddle/sync/atomic.hpp"

namespace HEDDLE_NS {

class PageSource {
 public:
  virtual ~PageSource() = default;
  virtual std::size_t granule() const noexcept = 0;
  // On success *out points to the segment; on failure it is null.
  virtual Status allocate(std::size_t bytes, void** out) = 0;
  virtual void release(void* segment, std::size_t bytes) noexcept = 0;
};

// The device itself.
class DevicePages final : public PageSource {
 public:
  explicit DevicePages(Device& device) noexcept : device_(device) {}
  std::size_t granule() const noexcept override { return device_.info().segment_granule; }
  Status allocate(std::size_t bytes, void** out) override { return device_.allocate_segment(bytes, out); }
  void release(void* segment, std::size_t bytes) noexcept override { device_.release_segment(segment, bytes); }

 private:
  Device& device_;
};

class PageDecorator : public PageSource {
 public:
  std::size_t granule() const noexcept override { return below_.granule(); }
  Status allocate(std::size_t bytes, void** out) override { return below_.allocate(bytes, out); }
  void release(void* segment, std::size_t bytes) noexcept override { below_.release(segment, bytes); }

 protected:
  explicit PageDecorator(PageSource& below) noexcept : below_(below) {}

 private:
  PageSource& below_;
};

// Policy "limit": contract 4.
class LimitedPages final : public PageDecorator {
 public:
  LimitedPages(PageSource& below, Budget& budget) noexcept : PageDecorator(below), budget_(budget) {}
  Status allocate(std::size_t bytes, void** out) override;
  void release(void* segment, std::size_t bytes) noexcept override;

 private:
  Budget& budget_;
};

// Policy "statistics": contract 5.
class CountedPages final : public PageDecorator {
 public:
  explicit CountedPages(PageSource& below) noexcept : PageDecorator(below) {}
  Status allocate(std::size_t bytes, void** out) override;
  void release(void* segment, std::size_t bytes) noexcept override;

  std::uint64_t obtained() const noexcept { return obtained_.load(sync::relaxed); }  // segments
  std::uint64_t released() const noexcept { return released_.load(sync::acquire); }
  std::uint64_t refused() const noexcept { return refused_.load(sync::relaxed); }

 private:
  sync::Atomic<std::uint64_t> obtained_{0}, released_{0}, refused_{0};
};

}  // namespace HEDDLE_NS
