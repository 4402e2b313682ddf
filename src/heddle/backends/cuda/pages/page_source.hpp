// The source of segments of device memory.
//
// Contract: acquire() returns whole granules with arbitrary contents, usable by every stream immediately; release()
// takes back what acquire() returned, once no work uses it any more. Both may take tens of microseconds in the driver,
// so an allocation that finds memory calls neither.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "heddle/backends/cuda/driver.hpp"
#include "heddle/backends/cuda/open.hpp"
#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

class PageSource {
 public:
  virtual ~PageSource() = default;  // REQUIRES: every segment was released
  PageSource() = default;
  PageSource(const PageSource&) = delete;
  PageSource& operator=(const PageSource&) = delete;

  virtual Status acquire(std::size_t bytes, void** out) = 0;
  virtual void release(void* segment, std::size_t bytes) noexcept = 0;
  virtual std::size_t granule() const noexcept = 0;
  virtual std::string name() const = 0;  // human-readable
};

constexpr std::size_t whole_granules(std::size_t bytes, std::size_t granule) noexcept {
  return (bytes + granule - 1) / granule * granule;
}

// REQUIRES: `device` is current. `device_bytes` bounds the memory handed out at a time, not the reserved addresses.
Status open_virtual_pages(int device, std::size_t device_bytes, std::unique_ptr<PageSource>* out);
Status open_pool_pages(int device, std::unique_ptr<PageSource>* out);
Status open_plain_pages(int device, std::unique_ptr<PageSource>* out);

}  // namespace HEDDLE_NS::cuda
