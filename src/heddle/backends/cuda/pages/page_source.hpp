// Where segments of device memory come from.
//
// Contract: acquire() gives whole granules, zero or more of anything in them, usable by every stream at once; release()
// takes back what acquire() gave, when no work uses it any more. Both may take tens of microseconds in the driver, so
// they are no part of an allocation that finds memory. Thread safety: all members, from any thread.
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
  virtual std::string name() const = 0;  // for people
};

constexpr std::size_t whole_granules(std::size_t bytes, std::size_t granule) noexcept {
  return (bytes + granule - 1) / granule * granule;
}

// `device` is current. The memory of `device` bounds what can be handed out at a time, not what is reserved.
Status open_virtual_pages(int device, std::size_t device_bytes, std::unique_ptr<PageSource>* out);
Status open_pool_pages(int device, std::unique_ptr<PageSource>* out);
Status open_plain_pages(int device, std::unique_ptr<PageSource>* out);

}  // namespace HEDDLE_NS::cuda
