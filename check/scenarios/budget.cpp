#include "heddle/memory/budget.hpp"

#include "check/scenarios.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Two or three threads reserve 1 byte of `limit` and release it, `rounds` times each.
void threads_share_a_limit(std::size_t threads, std::size_t limit, int rounds) {
  Budget budget(limit);
  heddle_check::Noted<std::size_t> held = 0;  // currently granted
  const auto user = [&] {
    for (int i = 0; i < rounds; ++i) {
      if (budget.reserve(1)) {
        heddle_check::require(++held <= limit, "no more than the limit is granted");
        --held;
        budget.release(1);
      } else {
        heddle_check::require(threads > limit, "a reservation that fits is granted");
      }
    }
  };
  if (threads == 2) {
    heddle_check::run_together({{"first", user}, {"second", user}});
  } else {
    heddle_check::run_together({{"first", user}, {"second", user}, {"third", user}});
  }
  heddle_check::require(budget.reserved() == 0, "everything was released");
  heddle_check::require(budget.peak() >= 1 && budget.peak() <= limit, "the peak is the highest sum of reservations");
}

}  // namespace

void add_budget(Scenarios& to) {
  const heddle_check::Limits limits{.stale_reads = 1, .weak_failures = 1};
  to.push_back({.name = "budget",
                .group = "memory",
                .threads = 2,
                .body = [] { threads_share_a_limit(2, 1, 1); },
                .limits = limits,
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 50'000}},
                .claim = "two threads never hold more of a budget than its limit"});
  to.push_back({.name = "budget_of_three",
                .group = "memory",
                .threads = 3,
                .body = [] { threads_share_a_limit(3, 2, 2); },
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 50'000}},
                .claim = "three threads never hold more of a budget than its limit"});
  to.push_back({.name = "budget_2x4",
                .group = "memory",
                .threads = 2,
                .body = [] { threads_share_a_limit(2, 1, 2); },
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "the same with two threads and four operations each"});
  to.push_back({.name = "budget_3x2",
                .group = "memory",
                .threads = 3,
                .body = [] { threads_share_a_limit(3, 2, 1); },
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "the same with three threads and two operations each"});
  to.push_back({.name = "budget_that_fits",
                .group = "memory",
                .threads = 2,
                .body = [] { threads_share_a_limit(2, 2, 1); },
                .limits = limits,
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 50'000}},
                .claim = "a reservation that fits alongside all others is never refused"});
}

}  // namespace heddle::check
