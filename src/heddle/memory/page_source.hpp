// PageSource: where a device's memory comes from, in segments; and the policies that stand before it.
//
// A segment is given back whole, as it was obtained. Policies are decorators: each is a page source over another. Two
// that only tests need, fault and delay, are in tests/memory/page_policies.hpp.
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
  // Segments are multiples of this; a power of two of at least 256.
  virtual std::size_t granule() const noexcept = 0;
  // On success *out points to `bytes` aligned to at least 4096. Failure: kOutOfMemory or kDeviceError, nothing changed.
  // May throw bad_alloc, nothing changed then either.
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

// Policy "limit": never more than the budget has. Bytes are reserved before they are obtained, and free again only
// after they were given back.
class LimitedPages final : public PageDecorator {
 public:
  LimitedPages(PageSource& below, Budget& budget) noexcept : PageDecorator(below), budget_(budget) {}
  Status allocate(std::size_t bytes, void** out) override;
  void release(void* segment, std::size_t bytes) noexcept override;

 private:
  Budget& budget_;
};

// Policy "statistics".
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
