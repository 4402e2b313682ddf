// Runtime: opens a device and owns everything on it. Several may be open in one process.
//
//   heddle::Runtime runtime;
//   auto x = heddle::randn(runtime, {256, 256});
//   float s = heddle::sum(heddle::matmul(x, x)).item();
//
// Thread safety: all members but close() and the destructor, from any thread. The calling thread's stream is the one of
// its explicit Lease, or else an implicit one taken at first use.
#pragma once

#include <chrono>
#include <memory>

#include "heddle/base/namespace.hpp"
#include "heddle/runtime/options.hpp"
#include "heddle/tensor/core.hpp"

namespace HEDDLE_NS {

class Runtime {
 public:
  // Throws InvalidArgument (options, environment, unknown device) or what the device reports.
  explicit Runtime(const Options& options = {});
  ~Runtime();  // close()
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  operator Core&() noexcept { return *core_; }  // NOLINT: operations take a Core&, users hold a Runtime
  Core& core() noexcept { return *core_; }
  const DeviceInfo& device_info() const noexcept;

  // The calling thread's stream: hand over what was recorded / also wait and throw its first error / ask.
  void commit();
  bool try_commit();
  void synchronize();
  bool query();
  StreamId stream();

  // Takes a stream for the calling thread until the lease ends. Throws PoolExhausted.
  Lease lease();

  MemoryStatistics memory_statistics() const;
  // Gives idle memory back to the device; returns the bytes.
  std::size_t release_cached();
  // Commands that the device executed, by kernel.
  KernelCounts executed() const;
  std::size_t streams() const;

  // Commits what idle leases recorded, waits for all streams, and closes: later recordings throw Closed. Tensors that
  // are still alive keep their memory. Idempotent; returns false when the deadline passed with work running.
  bool close(std::chrono::milliseconds deadline = std::chrono::milliseconds(30'000)) noexcept;

 private:
  std::shared_ptr<Core> core_;
};

// The library's build id: source revision, "-dirty" when the tree differs from it.
const char* build_id() noexcept;

}  // namespace HEDDLE_NS
