// The fence in sandboxes that the process enters after the mode was chosen. Each test is its own process.
#include "heddle/sync/asymmetric_fence.hpp"

#include <gtest/gtest.h>
#include <linux/membarrier.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <tuple>
#include <vector>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#include "heddle/sync/atomic.hpp"
#include "heddle/sync/thread.hpp"
#include "own_process.hpp"
#include "sandbox.hpp"

namespace heddle {
namespace {

using test::in_own_process;
using test::require;
using test::Sandboxed;

void refuse(std::initializer_list<test::RefusedCall> calls, int error, Sandboxed who = Sandboxed::kProcess) {
  if (!test::refuse_system_calls(calls, error, who)) test::skip();
}

// Makes stores slow by evicting their cache lines, so that later stores wait in the store buffer while later loads have
// long completed. Without this, a missing fence would go unnoticed: even a refused system call takes longer than a
// store.
class SlowStores {
 public:
  void make() noexcept {
#if defined(__x86_64__)
    for (Line& line : lines_) _mm_clflush(&line);
#endif
    for (Line& line : lines_) line.store(1, sync::relaxed);
  }

 private:
  struct alignas(64) Line : sync::Atomic<int> {};
  std::array<Line, 32> lines_{};
};

// Owner: x = i, light, read y. Claimer: y = j, heavy, read x. In any pair of rounds (i, j), one side sees the other's
// store: if the owner read a y before j, the claimer reads x = i or later. The claimer's thread starts with `enter`.
void require_order(void (*enter)() = [] {}) {
  constexpr std::uint32_t kRounds = 200'000, kClaims = 3'000, kMost = 4'000'000;
  struct alignas(64) Word : sync::Atomic<std::uint32_t> {};
  Word x, y;
  std::vector<std::uint32_t> seen_by_owner{0}, seen_by_claimer{0};  // by round, from 1
  seen_by_owner.reserve(kMost + 1);
  seen_by_claimer.reserve(kMost + 1);
  sync::Atomic<bool> done{false};
  sync::Thread claimer("claimer", [&] {
    enter();
    for (std::uint32_t j = 1; j <= kMost && !done.load(sync::relaxed); ++j) {
      y.store(j, sync::relaxed);
      sync::asymmetric_fence_heavy();
      seen_by_claimer.push_back(x.load(sync::relaxed));
    }
  });
  SlowStores stores;
  for (std::uint32_t i = 1; i <= kMost && (i <= kRounds || seen_by_owner.back() < kClaims); ++i) {
    stores.make();
    x.store(i, sync::relaxed);
    sync::asymmetric_fence_light();
    seen_by_owner.push_back(y.load(sync::relaxed));
  }
  done.store(true);
  claimer.join();
  for (std::uint32_t j = 1; j < seen_by_claimer.size(); ++j) {
    const std::size_t unseen = seen_by_claimer[j] + std::size_t{1};
    require(unseen >= seen_by_owner.size() || seen_by_owner[unseen] >= j, "one of two rounds sees the other's store");
  }
}

// The fallback on this machine if the kernel refuses membarrier after having allowed it.
bool pages_interrupt() { return sync::detail::interrupt_by_page(); }

class Sandbox : public testing::TestWithParam<std::tuple<Sandboxed, int>> {
 protected:
  void SetUp() override {
    if (sync::asymmetric_fence_mode() != sync::FenceMode::kMembarrier) GTEST_SKIP() << "membarrier is refused here";
    if (!pages_interrupt()) GTEST_SKIP() << "on this processor a page's access is taken away without an interrupt";
  }
};
INSTANTIATE_TEST_SUITE_P(ThreadOrProcess, Sandbox,
                         testing::Values(std::tuple{Sandboxed::kThisThread, ENOSYS},
                                         std::tuple{Sandboxed::kProcess, EPERM}));

TEST_P(Sandbox, EnteredAfterTheModeWasChosenKeepsTheFence) {
  in_own_process([] {
    const auto [who, error] = GetParam();
    refuse({{SYS_membarrier}}, error, who);
    require_order();
  });
}

TEST(AsymmetricFence, AClaimerAloneInASandboxInterruptsThoseOutside) {
  if (sync::asymmetric_fence_mode() != sync::FenceMode::kMembarrier || !pages_interrupt()) {
    GTEST_SKIP() << "membarrier is refused here, or a page's access is taken away without an interrupt";
  }
  in_own_process([] { require_order([] { refuse({{SYS_membarrier}}, EPERM, Sandboxed::kThisThread); }); });
}

TEST(AsymmetricFence, ARefusalOfBothWaysEndsTheProcessWithOneLine) {
  if (sync::asymmetric_fence_mode() != sync::FenceMode::kMembarrier) GTEST_SKIP() << "membarrier is refused here";
  in_own_process([] { refuse({{SYS_membarrier}, {SYS_mprotect}}, EPERM); });  // skips if sandboxes are unavailable
  if (IsSkipped()) return;
  EXPECT_EXIT(
      {
        refuse({{SYS_membarrier}, {SYS_mprotect}}, EPERM);
        sync::asymmetric_fence_heavy();
        std::_Exit(test::kWrong);
      },
      testing::KilledBySignal(SIGABRT), "^heddle: the system allowed membarrier[^\n]*refuses it now[^\n]*\n$");
}

TEST(AsymmetricFence, ARefusalFromTheBeginningIsTheFullFence) {
  in_own_process([] {
    sync::detail::fence_mode.store(sync::FenceMode::kUnknown);
    refuse({{SYS_membarrier}}, ENOSYS);
    require(sync::asymmetric_fence_mode() == sync::FenceMode::kFull, "the mode is the full fence");
    require_order();
  });
}

TEST(AsymmetricFence, AnAnswerToTheRegistrationAloneIsNoMembarrier) {
  in_own_process([] {
    sync::detail::fence_mode.store(sync::FenceMode::kUnknown);
    refuse({{SYS_membarrier, 0, MEMBARRIER_CMD_PRIVATE_EXPEDITED, true}}, EPERM);
    require(sync::asymmetric_fence_mode() == sync::FenceMode::kFull, "the mode is the full fence");
  });
}

// Two threads, one of them in a sandbox, choose the mode concurrently.
void require_one_mode() {
  sync::detail::fence_mode.store(sync::FenceMode::kUnknown);
  std::array<sync::FenceMode, 2> seen{};
  sync::Atomic<int> ready{0};
  const auto choose = [&](std::size_t thread) {
    if (thread == 1) refuse({{SYS_membarrier}}, EPERM, Sandboxed::kThisThread);
    ready.fetch_add(1);
    while (ready.load() != 2) sync::spin_wait();
    seen[thread] = sync::asymmetric_fence_mode();
  };
  sync::Thread other("chooser", [&] { choose(1); });
  sync::Thread one("chooser", [&] { choose(0); });
  other.join();
  one.join();
  require(seen[0] == seen[1] && seen[0] == sync::asymmetric_fence_mode(), "there is one mode");
}

TEST(AsymmetricFence, ThreadsThatGetDifferentAnswersShareOneMode) {
  in_own_process([] {
    for (int round = 0; round < 50; ++round) require_one_mode();
  });
}

}  // namespace
}  // namespace heddle
