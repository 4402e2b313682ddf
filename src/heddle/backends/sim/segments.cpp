#include "heddle/backends/sim/segments.hpp"

#include <fmt/format.h>

#include <iterator>
#include <memory>
#include <new>

#include "heddle/device/list_text.hpp"
#include "heddle/sync/fault_point.hpp"

namespace HEDDLE_NS::sim {

namespace {

constexpr std::align_val_t kPage{4096};

struct Free {
  void operator()(std::byte* memory) const noexcept { ::operator delete(memory, kPage); }
};

// False: nothing that a segment could hold, so that nobody has to look.
bool touches_memory(const CommandList& list) {
  bool touches = false;
  for (const std::uint64_t* at = list.begin(); at != list.end() && !touches; at = CommandView(at).next()) {
    for_each_operand(CommandView(at), [&](const Operand&) { touches = true; });
  }
  return touches;
}

}  // namespace

MemoryInfo Segments::info() const {
  sync::MutexLock lock(mutex_);
  return {total_bytes_ - used_bytes_, total_bytes_};
}

Status Segments::allocate(std::size_t bytes, void** out) {
  *out = nullptr;
  sync::MutexLock lock(mutex_);
  const std::uint64_t number = ++allocations_;
  if (failing_ != 0 && (number == failing_ || (failing_forever_ && number > failing_))) {
    return {ErrorKind::kOutOfMemory, fmt::format("the simulated device refused {} bytes: scripted failure", bytes)};
  }
  if (sync::allocation_fails()) {
    return {ErrorKind::kOutOfMemory, fmt::format("the simulated device refused {} bytes: a choice", bytes)};
  }
  if (bytes > total_bytes_ - used_bytes_) {
    return {ErrorKind::kOutOfMemory, fmt::format("the simulated device refused {} bytes: {} of {} bytes are in use",
                                                 bytes, used_bytes_, total_bytes_)};
  }
  std::unique_ptr<std::byte, Free> memory(static_cast<std::byte*>(::operator new(bytes, kPage)));
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.get());
  live_.emplace(begin, begin + bytes);
  used_bytes_ += bytes;
  *out = memory.release();
  return {};
}

void Segments::release(void* segment, std::size_t bytes) noexcept {
  {
    sync::MutexLock lock(mutex_);
    live_.erase(reinterpret_cast<std::uintptr_t>(segment));
    used_bytes_ -= bytes;
  }
  ::operator delete(segment, kPage);
}

bool Segments::leaves_segment(const Operand& operand, const Ends& live) noexcept {
  const std::uintptr_t at = reinterpret_cast<std::uintptr_t>(operand.address);
  const std::uintptr_t first = at + static_cast<std::uintptr_t>(operand.reach.first);
  const std::uintptr_t last = at + static_cast<std::uintptr_t>(operand.reach.last);
  // Segments that lie side by side are one piece of memory to the allocator: a span may cover several.
  auto next = live.upper_bound(first);
  if (next == live.begin() || std::prev(next)->second <= first) return next != live.end() && next->first < last;
  std::uintptr_t covered = std::prev(next)->second;
  for (; covered < last && next != live.end() && next->first == covered; ++next) covered = next->second;
  return covered < last;
}

Status Segments::check(const CommandView& command, const Ends& live) {
  Status status;
  for_each_operand(command, [&](const Operand& operand) {
    if (!leaves_segment(operand, live) || !status.ok()) return;
    status = {ErrorKind::kDeviceError, [&] {
                return fmt::format(
                    "{}: {} reaches from {} bytes before to {} bytes after {}, out of its segment; the "
                    "list was skipped",
                    text_of(command), operand.name, -operand.reach.first, operand.reach.last, operand.address);
              }};
  });
  return status;
}

Status Segments::check(const CommandList& list) const {
  if (!touches_memory(list)) return {};
  sync::MutexLock lock(mutex_);
  for (const std::uint64_t* at = list.begin(); at != list.end(); at = CommandView(at).next()) {
    if (Status status = check(CommandView(at), live_); !status.ok()) return status;
  }
  return {};
}

void Segments::fail(std::uint64_t nth, bool forever) {
  sync::MutexLock lock(mutex_);
  failing_ = allocations_ + nth;
  failing_forever_ = forever;
}

}  // namespace HEDDLE_NS::sim
