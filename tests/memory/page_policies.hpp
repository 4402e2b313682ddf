// Policies of page sources that only tests and scenarios need: decorators, as those of heddle/memory/page_source.hpp.
//
// Thread safety: as PageSource says.
#pragma once

#include <fmt/format.h>

#include <cstdint>

#include "heddle/detail/namespace.hpp"
#include "heddle/memory/page_source.hpp"
#include "heddle/sync/atomic.hpp"
#include "heddle/sync/clock.hpp"

namespace HEDDLE_NS {

// Policy "fault": the n-th allocation from now on (from 1) fails; with `forever`, all after it too.
class FaultyPages final : public PageDecorator {
 public:
  explicit FaultyPages(PageSource& below) noexcept : PageDecorator(below) {}
  void fail(std::uint64_t nth, bool forever) noexcept {
    forever_.store(forever, sync::relaxed);
    failing_.store(calls_.load(sync::relaxed) + nth, sync::seq_cst);
  }
  Status allocate(std::size_t bytes, void** out) override {
    const std::uint64_t call = calls_.fetch_add(1, sync::seq_cst) + 1;
    const std::uint64_t failing = failing_.load(sync::seq_cst);
    if (failing != 0 && (call == failing || (forever_.load(sync::relaxed) && call > failing))) {
      *out = nullptr;
      return {ErrorKind::kOutOfMemory, [&] { return fmt::format("{} bytes were refused: scripted failure", bytes); }};
    }
    return PageDecorator::allocate(bytes, out);
  }

 private:
  sync::Atomic<std::uint64_t> calls_{0}, failing_{0};
  sync::Atomic<bool> forever_{false};
};

// Policy "delay": every call takes this much longer, so that what other threads do meanwhile is tried out.
class DelayedPages final : public PageDecorator {
 public:
  DelayedPages(PageSource& below, sync::Duration delay) noexcept : PageDecorator(below), delay_(delay) {}
  Status allocate(std::size_t bytes, void** out) override {
    sync::sleep_for(delay_);
    return PageDecorator::allocate(bytes, out);
  }
  void release(void* segment, std::size_t bytes) noexcept override {
    sync::sleep_for(delay_);
    PageDecorator::release(segment, bytes);
  }

 private:
  const sync::Duration delay_;
};

}  // namespace HEDDLE_NS
