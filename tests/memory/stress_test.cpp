// Many threads, every way of giving memory back, under a limit. Builds with debug checks look for overlaps at each
// allocation (LiveRanges); here the contents are checked, the limit, and at the end that nothing was lost.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

TEST(MemoryStress, SixtyFourThreadsShareALimit) {
  constexpr std::size_t kLimit = std::size_t{48} << 20;
  constexpr std::uint32_t kThreads = 64;
#if defined(__SANITIZE_THREAD__) || HEDDLE_DEBUG_CHECKS
  constexpr int kSteps = 150;
#else
  constexpr int kSteps = 500;
#endif
  SimOptions sim_options{.auto_run = true};
  SimCore sim(exactly(kThreads), sim_options);
  FakePages pages;
  DeviceMemory memory(pages, *sim.pool(), {.limit = kLimit});
  std::vector<Buffer> exchange(256);
  sync::Mutex mutex{Rank::kRuntime};
  sync::Atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::minstd_rand random(t + 1);
      std::vector<Buffer> own;
      for (int step = 0; step < kSteps; ++step) {
        const unsigned action = static_cast<unsigned>(random() % 16);
        try {
          if (action < 9) {
            own.push_back(Buffer::create(sim.pool(), memory, 1 + random() % (std::size_t{1} << (8 + random() % 11))));
          } else if (action < 12 && !own.empty()) {
            own.erase(own.begin() + static_cast<std::ptrdiff_t>(random() % own.size()));
          } else if (action < 14 && !own.empty()) {
            sync::MutexLock lock(mutex);
            std::swap(own.back(), exchange[random() % exchange.size()]);
          } else if (action == 14) {
            Recording recording(sim.pool());
            std::vector<OperandMemory> reads;
            for (const Buffer& buffer : own) reads.push_back(operand_of(buffer));
            recording.lane().record(Command<FillArgs>(KernelId::kFill, {nullptr, 0, 0}), Kept(), reads, {});
            recording.lane().commit();
          } else if (random() % 8 == 0) {
            memory.release_cached();
          }
        } catch (const OutOfMemory&) {
          failures.fetch_add(1);
          own.clear();
        }
        std::erase_if(own, [](const Buffer& buffer) { return !buffer; });
        if (own.size() > 40) own.clear();
      }
    });
  }
  sync::Atomic<bool> stop{false};
  std::thread auditor([&] {
    while (!stop.load()) static_cast<void>(memory.audit());  // aborts when what it sees does not fit together
  });
  for (auto& thread : threads) thread.join();
  stop.store(true);
  auditor.join();
  EXPECT_LE(pages.peak(), kLimit);
  EXPECT_LE(memory.statistics().reserved_peak, kLimit);
  exchange.clear();
  EXPECT_EQ(memory.statistics().live_blocks, 0u);
  EXPECT_EQ(memory.statistics().live, 0u);
  EXPECT_TRUE(memory.audit());
  sim.run_all();
  memory.release_cached();
  EXPECT_EQ(pages.held(), 0u);
}

// On real memory: what a block holds is what its owner wrote.
TEST(MemoryStress, BlocksKeepTheirContents) {
  Options options;
  options.memory_limit = std::size_t{64} << 20;
  Runtime runtime(options);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      std::minstd_rand random(t + 1);
      std::vector<std::pair<Buffer, unsigned char>> own;
      const auto holds = [](const Buffer& buffer, unsigned char mark) {
        const auto* bytes = static_cast<const unsigned char*>(buffer.data());
        return bytes[0] == mark && bytes[buffer.block().requested() - 1] == mark;
      };
      for (int step = 0; step < 1000; ++step) {
        if (random() % 2 == 0 || own.empty()) {
          const auto mark = static_cast<unsigned char>(random());
          Buffer buffer =
              Buffer::create(runtime.core().pool(), runtime.core().memory(), 1 + random() % (std::size_t{1} << 16));
          std::memset(buffer.data(), mark, buffer.block().requested());
          own.emplace_back(std::move(buffer), mark);
        } else {
          std::swap(own[random() % own.size()], own.back());
          ASSERT_TRUE(holds(own.back().first, own.back().second));
          own.pop_back();
        }
      }
      for (const auto& [buffer, mark] : own) ASSERT_TRUE(holds(buffer, mark));
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace heddle
