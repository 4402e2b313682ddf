#include "heddle_check/core/fairness.hpp"

#include <bit>

namespace heddle_check {

void Fairness::activate() noexcept {
  active_ = true;
  enabled_.fill(0);
  disabled_.fill(~ThreadMask{0});
  performed_.fill(~ThreadMask{0});
  before_.fill(0);
}

void Fairness::after(ThreadId thread, bool yielded, ThreadMask before, ThreadMask now, ThreadId threads) noexcept {
  const ThreadMask self = bit(thread);
  for (ThreadId i = 0; i < threads; ++i) {
    enabled_[i] &= now;
    performed_[i] |= self;
    before_[i] &= ~self;
  }
  disabled_[thread] |= before & ~now;
  if (!yielded) return;
  before_[thread] |= (enabled_[thread] | disabled_[thread]) & ~performed_[thread] & ~self;
  enabled_[thread] = now;
  disabled_[thread] = 0;
  performed_[thread] = 0;
}

ThreadMask Fairness::filter(ThreadMask enabled) const noexcept {
  ThreadMask first = enabled;
  for (ThreadMask rest = enabled; rest != 0; rest &= rest - 1) {
    const auto thread = static_cast<ThreadId>(std::countr_zero(rest));
    if ((before_[thread] & enabled) != 0) first &= ~bit(thread);
  }
  return first;
}

}  // namespace heddle_check
