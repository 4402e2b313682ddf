// The library's own memory as an Allocator of alloc_patterns.hpp: buffer handles, a stream a thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "heddle/heddle.hpp"
#include "heddle/memory/buffer.hpp"
#include "heddle/memory/device_memory.hpp"
#include "heddle/stream/lane_pool.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle::cli {

struct Heddle {
  using Handle = Buffer;
  class Thread {
   public:
    explicit Thread(Heddle& heddle)
        : pool_(heddle.runtime.core().pool()),
          memory_(heddle.runtime.core().memory()),
          lease_(heddle.runtime.lease()) {}
    Buffer make(std::size_t bytes) { return Buffer::create(pool_, memory_, bytes); }

   private:
    const std::shared_ptr<LanePool>& pool_;
    DeviceMemory& memory_;
    Lease lease_;
  };

  explicit Heddle(std::uint32_t threads, const Options& options = {}) : runtime(opened(threads, options)) {}
  static Options opened(std::uint32_t threads, Options options) {
    options.streams_max = std::max(128U, threads + 2);
    return options;
  }
  Runtime runtime;
};

}  // namespace heddle::cli
