// Lifecycle: a runtime from open over draining to closed, and the end of the process.
//
// Shared by the Runtime and by the process's table of runtimes that have not ended, so that it is there when the
// process exits while a runtime is open. At exit running work is drained, of all runtimes together for at most
// kExitDrain, then each device is parked at a list boundary, all within kExitMost of the beginning of the exit, and
// everything is kept: static destructors find valid memory, threads that wait get Closed. That holds for a Runtime in a
// static or thread-local object too, whose destructor runs before or after the library's hook.
//
// Thread safety: all members, from any thread. Locks: mutex_ (kRuntime); the table's mutex (kRuntimeRegistry).
// Invariants: 1. One thread shuts down; others wait for its report, each until 1.5 s after its own deadline. 2. The
// core is destroyed only after a shutdown that ended all its work, once no block is live; otherwise it is kept for
// ever, and counted (runtimes_left). 3. Who would wait for itself does not: it is refused, or hands over to the reaper
// (sync/reaper.hpp).
// 4. Nothing but open(), starting a thread and making a report needs host memory, and no end depends on the latter two.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "heddle/detail/namespace.hpp"
#include "heddle/runtime.hpp"
#include "heddle/shutdown_report.hpp"
#include "heddle/sync/reaper.hpp"
#include "heddle/tensor/core.hpp"

namespace HEDDLE_NS {

// Libraries of kernels that make static objects of their own when a device first uses them. A bit each.
enum class KernelLibrary : unsigned char { kNone = 1, kOneDnn = 2, kCuda = 4 };

class Lifecycle final : public std::enable_shared_from_this<Lifecycle>, public sync::Reapable {
 public:
  static constexpr std::chrono::milliseconds kShutdownDeadline = Runtime::kShutdownDeadline;
  static constexpr std::chrono::milliseconds kExitDrain{1800};
  static constexpr std::chrono::milliseconds kExitMost{2000};

  // Enters `core` into the process's table. `library`: what its device has just loaded, perhaps. Throws std::bad_alloc.
  static std::shared_ptr<Lifecycle> open(std::shared_ptr<Core> core, KernelLibrary library = KernelLibrary::kNone);
  explicit Lifecycle(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  Lifecycle(const Lifecycle&) = delete;
  Lifecycle& operator=(const Lifecycle&) = delete;

  Core& core() const noexcept { return *core_; }

  // The first caller shuts down, the others wait for the same report, from which details are missing where host memory
  // ran out. Throws WouldBlock on a handler thread, in a custom operation, in a handler of this runtime on any thread,
  // or where it would wait for the calling thread otherwise; Timeout when another thread has not finished 1.5 s after
  // `deadline`; Forked.
  ShutdownReport shutdown(sync::Deadline deadline);
  // kShutdownDeadline; while the process exits, what is left of kExitMost.
  static sync::Deadline default_deadline() noexcept;
  // Nothing more is taken; the reaper shuts down. Throws Forked.
  void request_shutdown();
  // The Runtime object goes: shuts down and releases, now or by the reaper.
  void end() noexcept;
  // Leaves the table, and lets the core go when its last block is freed. REQUIRES: shut down.
  void release() noexcept;

  // What the process's exit hook does: each runtime is ended, and the reaper is waited for.
  static void end_all_with_process() noexcept;
  static RuntimesLeft left() noexcept;

 private:
  enum class State : unsigned char { kOpen, kDraining, kClosed };
  class Table;
  static Table& table();

  bool would_wait_for_itself() const noexcept;
  // False: another thread is at it, and has not finished by `others`. `most`: Core::close.
  bool shut_down(sync::Deadline deadline, sync::Deadline others,
                 sync::Deadline most = sync::Deadline::never()) noexcept;
  ShutdownReport drain(sync::Deadline deadline, sync::Deadline most) noexcept;
  // All of `report`, whose `complete` says how the core was closed.
  void describe(ShutdownReport& report) const;
  // For the life of the process.
  void keep() noexcept;
  void leave_to_reaper() noexcept;
  void leave_table(bool was_ending) noexcept;
  void reap() noexcept override;
  // Drains, then parks the device. Once; later calls do nothing.
  void end_with_process() noexcept;

  const std::shared_ptr<Core> core_;
  sync::Mutex mutex_{Rank::kRuntime};
  sync::ConditionVariable closed_;
  State state_ HEDDLE_GUARDED_BY(mutex_) = State::kOpen;
  bool kept_ HEDDLE_GUARDED_BY(mutex_) = false;
  bool orphaned_ HEDDLE_GUARDED_BY(mutex_) = false;  // the Runtime object is gone, and the reaper has to release this
  ShutdownReport report_ HEDDLE_GUARDED_BY(mutex_);

  // The table's, under its mutex.
  std::shared_ptr<Lifecycle> listed_;
  Lifecycle* next_ = nullptr;
  bool ended_with_process_ = false;
};

}  // namespace HEDDLE_NS
