#include "heddle_check/strategies/pos.hpp"

#include <algorithm>

namespace heddle_check {

bool Pos::begin() {
  priorities_.fill(0);
  return true;
}

std::uint32_t Pos::choose_thread(const Choice& choice) {
  std::uint32_t best = 0;
  std::uint64_t highest = 0;
  for (std::uint32_t i = 0; i < choice.options; ++i) {
    std::uint64_t& priority = priorities_[party_of(choice.threads[i], choice.view)];
    if (priority == 0) priority = std::max(draws_->priority(), std::uint64_t{1});
    if (priority > highest) {
      highest = priority;
      best = i;
    }
  }
  return best;
}

void Pos::observe(ThreadId thread, const View& view) {
  for (ThreadId i = 0; i < view.threads; ++i) {
    if (i == thread || dependent(view.next[i], view.next[thread])) priorities_[i] = priorities_[kMaxThreads + i] = 0;
  }
}

}  // namespace heddle_check
