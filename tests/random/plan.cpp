#include "random/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "random/dice.hpp"

namespace heddle::programs {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

Shape random_shape(Dice& dice) {
  constexpr std::int64_t kExtents[] = {1, 2, 3, 4, 5, 8, 16, 17, 33};
  if (dice.one_in(12)) return {};
  std::vector<std::int64_t> extents(1 + dice.below(dice.one_in(4) ? 4 : 2));
  std::int64_t elements = 1;
  for (std::int64_t& extent : extents) {
    extent = kExtents[dice.below(std::size(kExtents))];
    if (elements * extent > 2000) extent = 2;
    elements *= extent;
  }
  if (dice.one_in(16)) extents[dice.below(extents.size())] = 0;
  if (dice.one_in(24)) extents = {dice.between(3000, 40'000)};
  return Shape(std::span<const std::int64_t>(extents));
}

// How long on_complete() waits for room, if that is bounded.
template <class AnyLimits>
void set_handler_wait(AnyLimits& limits, milliseconds most) {
  if constexpr (requires { limits.handler_wait_max; }) limits.handler_wait_max = most;
}

void set_limits(Dice& dice, Plan& plan, Options& options) {
  Limits& limits = options.limits;
  const bool sim = plan.device == "sim";
  limits.lease_wait_max = plan.scarce || plan.full_lines ? milliseconds(2 + dice.below(20)) : milliseconds(60'000);
  if (dice.one_in(2)) limits.list_commands_max = static_cast<std::uint32_t>(1 + dice.below(8));
  if (dice.one_in(4)) limits.list_bytes_max = 4096;
  if (dice.one_in(2)) limits.committed_lists_max = static_cast<std::uint32_t>(1 + dice.below(2));
  if (plan.full_lines) {
    limits.handlers_max = static_cast<std::uint32_t>(1 + dice.below(4));
    set_handler_wait(limits, milliseconds(2 + dice.below(20)));
  }
  if (dice.one_in(2)) limits.spin_max = microseconds(dice.below(20));
  limits.slow_handler = milliseconds(dice.below(4));
  if (plan.scarce) {
    options.streams_max = options.streams = static_cast<std::uint32_t>(1 + dice.below(3));
    if (dice.one_in(3)) options.exhaustion = dice.one_in(2) ? ExhaustionPolicy::kFail : ExhaustionPolicy::kWait;
  } else {
    options.streams = static_cast<std::uint32_t>(1 + dice.below(8));
    options.streams_max = 512;
  }
  if (plan.limited) {
    options.memory_limit = plan.is_cuda() ? (2 + dice.below(8)) << 21 : (16 + dice.below(48)) << 14;
  }
  if (!sim && !plan.is_cuda()) {
    options.cpu_workers = static_cast<unsigned>(1 + dice.below(3));
    options.cpu_kernels = dice.one_in(2) ? CpuKernels::kPortable : CpuKernels::kBest;
  }
  options.wait = static_cast<WaitPolicy>(dice.below(3));
  options.seed = dice.draw();
}

}  // namespace

Plan make_plan(std::uint64_t seed, const std::string& device, const Cut& cut) {
  Dice dice(seed);
  Plan plan;
  plan.seed = seed;
  plan.device = device;
  plan.cut = cut;
  plan.threads = static_cast<int>(2 + dice.below(3));
  plan.steps = static_cast<int>(10 + dice.below(30));
  plan.in_turns = seed % 2 == 0;
  plan.limited = dice.one_in(12);
  plan.scarce = dice.one_in(4);
  plan.full_lines = dice.one_in(4);
  plan.half = dice.one_in(2) && plan.computes();
  plan.fails = dice.one_in(3);
  plan.hurried = dice.one_in(24);
  if (dice.one_in(4)) plan.shutdown_step = static_cast<int>(dice.below(static_cast<std::uint64_t>(plan.steps)));
  for (int i = 0; i < 4; ++i) plan.shapes.push_back(random_shape(dice));
  plan.runtimes.resize(dice.one_in(5) ? 2 : 1);
  for (Options& options : plan.runtimes) {
    options.device = device;
    set_limits(dice, plan, options);
  }
  // The cuts come last, so that nothing above depends on them.
  plan.threads = std::min(plan.threads, cut.threads);
  plan.steps = std::min(plan.steps, cut.steps);
  return plan;
}

bool Plan::all_small() const {
  return std::all_of(shapes.begin(), shapes.end(), [](const Shape& shape) { return shape.elements() <= 2000; });
}

std::string Plan::text() const {
  std::string text =
      fmt::format("{} threads{}, {} steps{}{}{}{}{}{}", threads, in_turns ? " in turns" : "", steps,
                  limited ? ", little memory" : "", scarce ? ", few streams" : "", full_lines ? ", few handlers" : "",
                  half ? ", three types" : "", fails ? ", failing operations" : "", hurried ? ", a hurried end" : "");
  if (shutdown_step >= 0) text += fmt::format(", shutdown at step {}", shutdown_step);
  for (const Shape& shape : shapes) text += fmt::format(" {}", shape.text());
  for (const Options& options : runtimes) {
    const Limits& limits = options.limits;
    text += fmt::format("; streams {} to {}, lists of {} commands or {} bytes, {} at a time, {} handlers",
                        options.streams.value_or(0), options.streams_max.value_or(0), limits.list_commands_max,
                        limits.list_bytes_max, limits.committed_lists_max, limits.handlers_max);
  }
  return text;
}

std::string Plan::command(int times) const {
  std::string text = fmt::format("heddle_random_programs --device {} --seed {} --times {}", device, seed, times);
  if (cut.threads < 1000) text += fmt::format(" --threads {}", cut.threads);
  if (cut.from > 0) text += fmt::format(" --from {}", cut.from);
  if (cut.steps < 1'000'000) text += fmt::format(" --steps {}", cut.steps);
  return text;
}

}  // namespace heddle::programs
