#include "heddle/sync/lock_checks.hpp"

#if HEDDLE_DEBUG_CHECKS

#include <array>
#include <cstddef>
#include <cstdio>

#include "heddle/sync/thread_local.hpp"

namespace HEDDLE_NS::sync {
namespace {

struct HeldLocks {
  static constexpr std::size_t kMost = 16;
  std::array<Rank, kMost> ranks{};
  std::size_t count = 0;
};

struct HeldLocksTag;
HeldLocks& held() noexcept { return ThreadLocal<HeldLocks, HeldLocksTag>::get(); }

void order_failed(Rank wanted, Rank holding) noexcept {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "lock order: rank %d wanted while rank %d is held", static_cast<int>(wanted),
                static_cast<int>(holding));
  check_failed("ranks increase", text.data(), __FILE__, __LINE__);
}

}  // namespace

void note_locked(Rank rank, bool ordered) noexcept {
  HeldLocks& locks = held();
  for (std::size_t i = 0; ordered && i < locks.count; ++i) {
    if (locks.ranks[i] >= rank) order_failed(rank, locks.ranks[i]);
  }
  HEDDLE_CHECK(locks.count < HeldLocks::kMost, "this thread holds more locks than the lock checker has room for");
  locks.ranks[locks.count++] = rank;
}

void note_unlocked(Rank rank) noexcept {
  HeldLocks& locks = held();
  for (std::size_t i = locks.count; i-- > 0;) {
    if (locks.ranks[i] != rank) continue;
    for (std::size_t k = i + 1; k < locks.count; ++k) locks.ranks[k - 1] = locks.ranks[k];
    --locks.count;
    return;
  }
  HEDDLE_CHECK(false, "unlocked a mutex that this thread does not hold");
}

void assert_only_held(Rank rank) noexcept {
  HEDDLE_CHECK(held().count == 1 && held().ranks[0] == rank,
               "a thread waits on a condition while it holds another lock");
}

void assert_no_locks_held(const char* door) noexcept {
  if (held().count != 0) check_failed("no lock held", door, __FILE__, __LINE__);
}

}  // namespace HEDDLE_NS::sync

#endif
