#include "heddle/memory/page_source.hpp"

#include <fmt/format.h>

#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

Status LimitedPages::allocate(std::size_t bytes, void** out) {
  if (!budget_.reserve(bytes)) {
    *out = nullptr;
    return {ErrorKind::kOutOfMemory,
            fmt::format("{} bytes are more than the memory limit of {} leaves ({} are reserved)", bytes,
                        budget_.limit(), budget_.reserved())};
  }
  try {
    Status status = PageDecorator::allocate(bytes, out);
    if (HEDDLE_PLANT(refusal_keeps_budget)) return status;
    if (!status.ok()) budget_.release(bytes);
    return status;
  } catch (...) {
    budget_.release(bytes);
    throw;
  }
}

void LimitedPages::release(void* segment, std::size_t bytes) noexcept {
  PageDecorator::release(segment, bytes);
  budget_.release(bytes);
}

Status CountedPages::allocate(std::size_t bytes, void** out) {
  Status status = PageDecorator::allocate(bytes, out);
  (status.ok() ? obtained_ : refused_).fetch_add(1, sync::relaxed);
  return status;
}

void CountedPages::release(void* segment, std::size_t bytes) noexcept {
  PageDecorator::release(segment, bytes);
  released_.fetch_add(1, sync::release);  // a reader has seen that it was obtained
}

}  // namespace HEDDLE_NS
