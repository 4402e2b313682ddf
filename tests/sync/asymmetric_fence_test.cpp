// The fence in sandboxes that the process enters after the mode was chosen. Each test is a process of its own.
#include "heddle/sync/asymmetric_fence.hpp"

#include <gtest/gtest.h>
#include <linux/membarrier.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <tuple>
#include <vector>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#include "heddle/sync/atomic.hpp"
#include "heddle/sync/thread.hpp"
#include "sandbox.hpp"

namespace heddle {
namespace {

using test::refuse_system_calls;
using test::Sandboxed;

constexpr int kFine = 0, kTwoModes = 1, kNotFenced = 2, kNoSandbox = 77;

// Stores that take long, as their lines have just left the caches: what is stored after them waits in the store buffer,
// while later loads are long done. Otherwise a fence that is missing is not seen: a refused system call alone takes
// longer than a store.
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

// Owner: x = i, light, read y. Claimer: y = j, heavy, read x. Of a pair of rounds (i, j) one sees the other's store:
// where the owner read a y before j, the claimer reads x = i or later. The claimer's thread starts with `enter`.
int fence_orders(void (*enter)() = [] {}) {
  constexpr std::uint32_t kRounds = 200'000, kClaims = 3'000, kMost = 4'000'000;
  struct alignas(64) Word : sync::Atomic<std::uint32_t> {};
  Word x, y;
  std::vector<std::uint32_t> seen_by_owner{0}, seen_by_claimer{0};  // by round, from 1 on
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
    if (unseen < seen_by_owner.size() && seen_by_owner[unseen] < j) return kNotFenced;
  }
  return kFine;
}

// What this machine does where the kernel refuses membarrier, which it allowed before.
bool pages_interrupt() { return sync::detail::interrupt_by_page(); }

class Sandbox : public testing::TestWithParam<std::tuple<Sandboxed, int>> {
 protected:
  void SetUp() override {
    if (sync::asymmetric_fence_mode() != sync::FenceMode::kMembarrier) GTEST_SKIP() << "membarrier is refused here";
    if (!pages_interrupt()) GTEST_SKIP() << "on this processor a page's access goes without an interrupt";
  }
};
INSTANTIATE_TEST_SUITE_P(ThreadOrProcess, Sandbox,
                         testing::Values(std::tuple{Sandboxed::kThisThread, ENOSYS},
                                         std::tuple{Sandboxed::kProcess, EPERM}));

TEST_P(Sandbox, EnteredAfterTheModeWasChosenKeepsTheFence) {
  const auto [who, error] = GetParam();
  EXPECT_EXIT(
      {
        if (!refuse_system_calls({{SYS_membarrier}}, error, who)) std::_Exit(kNoSandbox);
        std::_Exit(fence_orders());
      },
      [](int status) {
        return WIFEXITED(status) && (WEXITSTATUS(status) == kFine || WEXITSTATUS(status) == kNoSandbox);
      },
      "^$");
}

TEST(AsymmetricFenceDeathTest, AClaimerAloneInASandboxInterruptsThoseOutside) {
  if (sync::asymmetric_fence_mode() != sync::FenceMode::kMembarrier || !pages_interrupt()) GTEST_SKIP();
  EXPECT_EXIT(
      { std::_Exit(fence_orders([] { refuse_system_calls({{SYS_membarrier}}, EPERM, Sandboxed::kThisThread); })); },
      testing::ExitedWithCode(kFine), "^$");
}

TEST(AsymmetricFenceDeathTest, ARefusalOfBothWaysEndsTheProcessWithOneLine) {
  if (sync::asymmetric_fence_mode() != sync::FenceMode::kMembarrier) GTEST_SKIP() << "membarrier is refused here";
  EXPECT_EXIT(
      {
        if (!refuse_system_calls({{SYS_membarrier}, {SYS_mprotect}}, EPERM)) {
          std::fputs("no sandbox", stderr);
          std::raise(SIGABRT);
        }
        sync::asymmetric_fence_heavy();
        std::_Exit(kNotFenced);
      },
      testing::KilledBySignal(SIGABRT),
      "^(heddle: the system allowed membarrier[^\n]*refuses it now[^\n]*\n|no sandbox)$");
}

TEST(AsymmetricFenceDeathTest, ARefusalFromTheBeginningIsTheFullFence) {
  EXPECT_EXIT(
      {
        sync::detail::fence_mode.store(sync::FenceMode::kUnknown);
        if (!refuse_system_calls({{SYS_membarrier}}, ENOSYS)) std::_Exit(kFine);
        std::_Exit(sync::asymmetric_fence_mode() == sync::FenceMode::kFull ? fence_orders() : kNotFenced);
      },
      testing::ExitedWithCode(kFine), "^$");
}

int registration_alone() {
  sync::detail::fence_mode.store(sync::FenceMode::kUnknown);
  const test::RefusedCall fence{SYS_membarrier, 0, MEMBARRIER_CMD_PRIVATE_EXPEDITED, true};
  if (!refuse_system_calls({fence}, EPERM)) return kFine;
  return sync::asymmetric_fence_mode() == sync::FenceMode::kFull ? kFine : kNotFenced;
}

TEST(AsymmetricFenceDeathTest, AnAnswerToTheRegistrationAloneIsNoMembarrier) {
  EXPECT_EXIT(std::_Exit(registration_alone()), testing::ExitedWithCode(kFine), "^$");
}

// Two threads, of which one is in a sandbox, choose the mode together.
bool both_see_one_mode() {
  sync::detail::fence_mode.store(sync::FenceMode::kUnknown);
  std::array<sync::FenceMode, 2> seen{};
  sync::Atomic<int> ready{0};
  const auto choose = [&](std::size_t thread) {
    if (thread == 1) refuse_system_calls({{SYS_membarrier}}, EPERM, Sandboxed::kThisThread);
    ready.fetch_add(1);
    while (ready.load() != 2) sync::spin_wait();
    seen[thread] = sync::asymmetric_fence_mode();
  };
  sync::Thread other("chooser", [&] { choose(1); });
  sync::Thread one("chooser", [&] { choose(0); });
  other.join();
  one.join();
  return seen[0] == seen[1] && seen[0] == sync::asymmetric_fence_mode();
}

int mode_is_shared() {
  for (int round = 0; round < 50; ++round) {
    if (!both_see_one_mode()) return kTwoModes;
  }
  return kFine;
}

TEST(AsymmetricFenceDeathTest, ThreadsThatGetDifferentAnswersShareOneMode) {
  EXPECT_EXIT(std::_Exit(mode_is_shared()), testing::ExitedWithCode(kFine), "^$");
}

}  // namespace
}  // namespace heddle
