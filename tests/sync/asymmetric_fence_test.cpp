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

#include "heddle/sync/mutex.hpp"
#include "heddle/sync/owner_gate.hpp"
#include "heddle/sync/thread.hpp"
#include "sandbox.hpp"

namespace heddle {
namespace {

using test::refuse_system_calls;
using test::Sandboxed;

constexpr int kFine = 0, kOverlap = 1, kNotFenced = 2, kNoSandbox = 77;

// Stores that miss the caches: what is stored after them waits for them, in the order of the store buffer, while later
// loads have long been done. It makes a missing fence show itself: a refused system call alone takes longer than a
// store.
class SlowStores {
 public:
  void make() noexcept {
    for (int i = 0; i < 48; ++i) {
      at_ = at_ * 6364136223846793005u + 1442695040888963407u;
      lines_[(at_ >> 33) % lines_.size()].store(1, sync::relaxed);
    }
  }

 private:
  struct alignas(64) Line : sync::Atomic<int> {};
  std::vector<Line> lines_{std::size_t{1} << 20};
  std::uint64_t at_ = 1;
};

// The gate's whole protocol with three threads, of which each claimer starts with `claimer`. The counter is plain:
// where the owner and a claimer are inside together, counts are lost.
int gate_holds(void (*claimer)() = [] {}) {
  sync::OwnerGate gate;
  sync::Mutex claimers(Rank::kLeaf);
  long counter = 0;
  long expected = 0;
  sync::Atomic<bool> stop{false};
  sync::Atomic<long> claims{0};
  std::vector<sync::Thread> threads;
  threads.reserve(2);
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back("claimer", [&] {
      claimer();
      while (!stop.load()) {
        sync::MutexLock lock(claimers);
        gate.announce();
        sync::asymmetric_fence_heavy();
        if (!gate.owner_inside()) {
          ++counter;
          claims.fetch_add(1);
        }
        gate.withdraw();
        for (int i = 0; i < 200; ++i) sync::spin_wait();  // the owner's turn
      }
    });
  }
  SlowStores stores;
  while (expected < 5'000 || claims.load() < 500) {
    stores.make();
    if (!gate.try_enter()) continue;
    ++counter;
    ++expected;
    gate.leave();
  }
  stop.store(true);
  for (auto& thread : threads) thread.join();
  return counter == expected + claims.load() ? kFine : kOverlap;
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
                         testing::Combine(testing::Values(Sandboxed::kThisThread, Sandboxed::kProcess),
                                          testing::Values(EPERM, ENOSYS)));

TEST_P(Sandbox, EnteredAfterTheModeWasChosenLeavesTheGateExclusive) {
  const auto [who, error] = GetParam();
  EXPECT_EXIT(
      {
        if (!refuse_system_calls({{SYS_membarrier}}, error, who)) std::_Exit(kNoSandbox);
        std::_Exit(gate_holds());
      },
      [](int status) {
        return WIFEXITED(status) && (WEXITSTATUS(status) == kFine || WEXITSTATUS(status) == kNoSandbox);
      },
      "^$");
}

TEST(AsymmetricFenceDeathTest, AClaimerAloneInASandboxUsesThePageAndOthersMembarrier) {
  if (sync::asymmetric_fence_mode() != sync::FenceMode::kMembarrier || !pages_interrupt()) GTEST_SKIP();
  EXPECT_EXIT(
      {
        static sync::Atomic<int> started{0};
        std::_Exit(gate_holds([] {
          if (started.fetch_add(1) == 0) refuse_system_calls({{SYS_membarrier}}, EPERM, Sandboxed::kThisThread);
        }));
      },
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
        std::_Exit(sync::asymmetric_fence_mode() == sync::FenceMode::kFull ? gate_holds() : kNotFenced);
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
    if (!both_see_one_mode()) return kOverlap;
  }
  return kFine;
}

TEST(AsymmetricFenceDeathTest, ThreadsThatGetDifferentAnswersShareOneMode) {
  EXPECT_EXIT(std::_Exit(mode_is_shared()), testing::ExitedWithCode(kFine), "^$");
}

}  // namespace
}  // namespace heddle
