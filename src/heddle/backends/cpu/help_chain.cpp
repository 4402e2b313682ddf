#include "heddle/backends/cpu/help_chain.hpp"

#include "heddle/sync/process.hpp"

namespace HEDDLE_NS::cpu {

bool HelpChain::contains(const CpuQueue& queue) const noexcept {
  for (std::size_t i = 0; i < depth_; ++i) {
    if (links_[i].queue == &queue) return true;
  }
  return false;
}

bool HelpChain::run() {
  const sync::Deadline until = sync::Deadline::after(kSlice);
  bool ran_any = false;
  for (;;) {
    const Link top = links_[depth_ - 1];
    const CpuQueue::Result result = top.queue->run(top.ticket, until, this);
    ran_any |= result.ran;
    if (result.stop == CpuQueue::Stop::kBlocked) {
      if (depth_ == kMostLinks) {
        result.blocker->unpin();
        return ran_any;
      }
      links_[depth_++] = {result.blocker, result.blocker_ticket};
      followed_ = true;
      continue;
    }
    // Reached without running: its runner is still notifying the queue below, and will make that queue ready.
    if (result.stop != CpuQueue::Stop::kReached || depth_ == 1 || !result.ran) return ran_any;
    top.queue->offer();
    --depth_;
    top.queue->unpin();
    if (until.passed()) return ran_any;
  }
}

HelpChain::~HelpChain() {
  // run() has already offered the rest of the first queue; in a child that a list forked, no lock is taken.
  if (!followed_ || sync::in_forked_child()) return;
  while (depth_ > 0) {
    CpuQueue& queue = *links_[--depth_].queue;
    queue.offer();
    if (depth_ > 0) queue.unpin();
  }
}

}  // namespace HEDDLE_NS::cpu
