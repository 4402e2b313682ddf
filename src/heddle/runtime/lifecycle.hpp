// Lifecycle: a runtime from open over draining to closed, and the end of the process.
//
// Shared by the Runtime and by the process's table of open runtimes, so that it is there when the process exits while
// a runtime is open. At exit running work is drained, of all runtimes together for at most kExitDrain, then each device
// is parked at a list boundary, and everything is kept: static destructors find valid memory, threads that wait get
// Closed.
//
// Thread safety: all members, from any thread. Locks: mutex_ (kRuntime); the table's mutex (kRuntimeRegistry).
// Invariants: 1. One thread shuts down; others wait for its report. 2. The core is destroyed only after a
// shutdown that ended all its work, once no block is live; else it is kept for ever.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "heddle/base/namespace.hpp"
#include "heddle/runtime/shutdown_report.hpp"
#include "heddle/tensor/core.hpp"

namespace HEDDLE_NS {

class Lifecycle {
 public:
  static constexpr std::chrono::milliseconds kExitDrain{2000};

  // Enters `core` into the process's table.
  static std::shared_ptr<Lifecycle> open(std::shared_ptr<Core> core);
  explicit Lifecycle(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  Lifecycle(const Lifecycle&) = delete;
  Lifecycle& operator=(const Lifecycle&) = delete;

  Core& core() const noexcept { return *core_; }

  // The first caller shuts down, the others wait for the same report, from which details are missing where host memory
  // ran out. Throws WouldBlock inside a handler, Forked.
  ShutdownReport shutdown(sync::Deadline deadline);
  // The Runtime object is gone: leaves the table, and lets the core go when its last block is freed.
  void release() noexcept;
  // By the process's exit hook: drains until the deadline, then parks the device. Once; later calls do nothing.
  void end_with_process(sync::Deadline deadline) noexcept;

 private:
  enum class State : unsigned char { kOpen, kDraining, kClosed };
  // As shutdown(), but none where another thread has not finished its own by `others`.
  std::optional<ShutdownReport> shut_down(sync::Deadline deadline, sync::Deadline others);
  ShutdownReport drain(sync::Deadline deadline) noexcept;
  // All of `report`, whose `complete` says how the core was closed.
  void describe(ShutdownReport& report) const;
  // For the life of the process.
  void keep() noexcept;

  const std::shared_ptr<Core> core_;
  sync::Mutex mutex_{Rank::kRuntime};
  sync::ConditionVariable closed_;
  State state_ HEDDLE_GUARDED_BY(mutex_) = State::kOpen;
  bool kept_ HEDDLE_GUARDED_BY(mutex_) = false;
  bool ended_ HEDDLE_GUARDED_BY(mutex_) = false;
  ShutdownReport report_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace HEDDLE_NS
