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
    if (!status.ok() && !HEDDLE_PLANT(refusal_keeps_budget)) budget_.release(bytes);
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
  released_.fetch_add(1, sync::relaxed);
}

void FaultyPages::fail(std::uint64_t nth, bool forever) noexcept {
  forever_.store(forever, sync::relaxed);
  failing_.store(calls_.load(sync::relaxed) + nth, sync::seq_cst);
}

Status FaultyPages::allocate(std::size_t bytes, void** out) {
  const std::uint64_t call = calls_.fetch_add(1, sync::seq_cst) + 1;
  const std::uint64_t failing = failing_.load(sync::seq_cst);
  if (failing != 0 && (call == failing || (forever_.load(sync::relaxed) && call > failing))) {
    *out = nullptr;
    return {ErrorKind::kOutOfMemory, fmt::format("{} bytes were refused: scripted failure", bytes)};
  }
  return PageDecorator::allocate(bytes, out);
}

Status DelayedPages::allocate(std::size_t bytes, void** out) {
  sync::sleep_for(delay_);
  return PageDecorator::allocate(bytes, out);
}

void DelayedPages::release(void* segment, std::size_t bytes) noexcept {
  sync::sleep_for(delay_);
  PageDecorator::release(segment, bytes);
}

}  // namespace HEDDLE_NS
