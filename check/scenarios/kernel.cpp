#include "check/scenarios.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Not heddle's code: measures the cost of the engine itself.
void contended_updates() {
  heddle_check::Atomic<int> count{0};
  const auto body = [&] {
    for (int i = 0; i < 20; ++i) count.fetch_add(1);
  };
  heddle_check::run_together({{"a", body}, {"b", body}, {"c", body}});
  heddle_check::require(count.load() == 60, "no update is lost");
}

}  // namespace

void add_kernels(Scenarios& to) {
  to.push_back({.name = "kernel_updates_3x20",
                .group = "kernel",
                .threads = 3,
                .body = contended_updates,
                .limits = {},
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 200'000}},
                .claim = "updates are not lost; measures the engine"});
}

}  // namespace heddle::check
