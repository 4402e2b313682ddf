// What is left when the runtime is taken away: threads that call the kernels of the stress loop over a list built once,
// on buffers of their own. The stress loop runs in turn with it; the ratio is what the runtime keeps.
#include <fmt/core.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <memory>
#include <new>
#include <thread>

#include "cli/bench/bench.hpp"
#include "cli/bench/measured_threads.hpp"
#include "heddle/backends/cpu/kernels/kernel.hpp"
#include "heddle/base/environment.hpp"
#include "heddle/runtime/open_device.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kIterations = 40;  // of one list
constexpr std::uint32_t kThreads = 32;

struct AlignedDelete {
  void operator()(std::byte* memory) const noexcept { ::operator delete(memory, std::align_val_t{4096}); }
};
using Buffer = std::unique_ptr<std::byte, AlignedDelete>;

Buffer make_buffer(std::size_t bytes) {
  return Buffer(static_cast<std::byte*>(::operator new(bytes, std::align_val_t{4096})));
}

bool best_kernels() { return environment_value("HEDDLE_CPU_KERNELS").value_or("best") == "best"; }

// One thread's buffers and its list: what the stress loop records between two synchronizations.
class HandLoop {
 public:
  HandLoop(std::uint64_t size, std::uint64_t thread, bool best) : best_(best) {
    const std::uint64_t count = size * size;
    const auto extent = static_cast<std::int64_t>(size);
    state_ = {0, thread, 0};
    x_ = make_buffer(count * sizeof(float));
    y_ = make_buffer(count * sizeof(float));
    sums_.resize(kIterations);
    MatmulArgs product{};
    product.a = product.b = x_.get();
    product.out = y_.get();
    product.m = product.n = product.k = product.lda = product.ldb = extent;
    product.batch = 1;
    const std::uint64_t blocks = (count + 3) / 4;
    for (std::uint64_t i = 0; i < kIterations; ++i) {
      list_.append(KernelId::kRandn, RandomArgs{&state_, i * blocks, x_.get(), count});
      list_.append(KernelId::kMatmul, product);
      list_.append(KernelId::kSum, ReduceArgs{y_.get(), &sums_[i], 1, extent * extent, 1});
    }
    list_.append(KernelId::kAdvance, AdvanceArgs{&state_, kIterations * blocks});
  }

  void run_list() {
    for (const std::uint64_t* at = list_.begin(); at != list_.end();) {
      const CommandView command(at);
      cpu::find_kernel(command.kernel(), best_)(command, context_);
      at = command.next();
    }
    for (const float sum : sums_) checksum_ += sum;
  }

 private:
  const bool best_;
  GeneratorState state_;
  Buffer x_, y_;
  std::vector<float> sums_;
  double checksum_ = 0;
  CommandList list_;
  cpu::KernelContext context_;
};

double hand_rate(const BenchOptions& options, std::uint32_t threads, std::uint64_t size) {
  const bool best = best_kernels();
  const auto length = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  std::barrier<> meeting(static_cast<std::ptrdiff_t>(threads) + 1);
  std::atomic<std::uint64_t> iterations{0};
  Clock::time_point start;
  MeasuringThreads crew;
  for (std::uint32_t i = 0; i < threads; ++i) {
    crew.start([&, i] {
      HandLoop loop(size, i, best);
      loop.run_list();
      loop.run_list();
      meeting.arrive_and_wait();  // ready
      meeting.arrive_and_wait();  // go
      std::uint64_t done = 0;
      do {
        loop.run_list();
        done += kIterations;
      } while (Clock::now() < start + length);
      iterations += done;
      meeting.arrive_and_wait();  // done
    });
  }
  meeting.arrive_and_wait();
  start = Clock::now();
  meeting.arrive_and_wait();
  meeting.arrive_and_wait();
  const std::chrono::duration<double> spent = Clock::now() - start;
  crew.join();
  return static_cast<double>(iterations.load()) / spent.count();
}

}  // namespace

BenchRows bench_ceiling(const BenchOptions& options) {
  if (resolve(options.runtime).device != "cpu") {
    throw InvalidArgument("bench ceiling calls the CPU's kernels by hand; allowed: --device cpu");
  }
  const unsigned processors = sync::available_processors();
  BenchRows rows;
  for (const std::uint64_t size : {64, 256}) {
    BenchRow by_hand{fmt::format("N = {}, by hand, {} threads", size, kThreads), "iterations/s", {}};
    BenchRow few{fmt::format("N = {}, by hand, {} threads", size, processors), "iterations/s", {}};
    BenchRow runtime{fmt::format("N = {}, stress loop, {} threads", size, kThreads), "iterations/s", {}};
    BenchRow ratio{fmt::format("N = {}, stress loop / by hand, {} threads", size, kThreads), "", {}};
    for (std::uint64_t run = 0; run < options.runs; ++run) {
      const auto done = static_cast<double>(run + (size == 64 ? 0 : options.runs));
      options.report_done(done / (2 * static_cast<double>(options.runs)));
      by_hand.values.push_back(hand_rate(options, kThreads, size));
      runtime.values.push_back(stress_rate(options, kThreads, size, kIterations));
      few.values.push_back(hand_rate(options, processors, size));
      ratio.values.push_back(runtime.values.back() / by_hand.values.back());
    }
    rows.insert(rows.end(), {by_hand, few, runtime, ratio});
  }
  return rows;
}

}  // namespace heddle::cli
