#include "heddle_check/clock.hpp"

#include <thread>

#include "heddle_check/choices.hpp"
#include "heddle_check/core/entered.hpp"

namespace heddle_check {

TimePoint now(Site site) noexcept {
  const Entered execution;
  return execution == nullptr ? std::chrono::steady_clock::now() : execution->read_clock(site);
}

void sleep_for(Duration duration, Site site) {
  const Entered execution;
  if (execution == nullptr) {
    std::this_thread::sleep_for(duration);
    return;
  }
  const TimePoint end = execution->read_clock(site) + duration;
  execution->yield_point(OperationKind::kSleep, site);
  execution->advance_to(end);
}

void yield(Site site) {
  const Entered execution;
  if (execution == nullptr) return;
  execution->yield_point(OperationKind::kYield, site);
  execution->advance_to(execution->now() + kSpinTurn);
  if (!execution->weak_memory()) return;
  // A store becomes visible in finite time: a spinning thread sees earlier stores.
  VectorClock& view = execution->self().knowledge.view;
  for (ThreadId i = 0; i < execution->threads(); ++i)
    view.join(execution->thread(i).knowledge.view, execution->threads());
}

// --- choices ---

bool in_execution() noexcept { return Execution::current() != nullptr; }

std::uint32_t choose(ChoiceKind kind, std::uint32_t options) {
  const Entered execution;
  return execution == nullptr ? 0 : execution->choose(kind, options);
}

namespace {

// True if it fails, which is a choice while `budget` lasts.
bool fails(ChoiceKind kind, std::uint32_t Execution::Budgets::* budget) {
  const Entered execution;
  if (execution == nullptr || execution->left().*budget == 0) return false;
  if (execution->choose(kind, 2) == 0) return false;
  --(execution->left().*budget);
  return true;
}

}  // namespace

bool allocation_fails() { return fails(ChoiceKind::kAllocation, &Execution::Budgets::allocation_failures); }
bool host_memory_fails() { return fails(ChoiceKind::kHost, &Execution::Budgets::host_memory_failures); }
bool thread_fails() { return fails(ChoiceKind::kHost, &Execution::Budgets::thread_failures); }

}  // namespace heddle_check
