#include "injection/order.hpp"

#include <cstdio>
#include <cstring>

namespace injection {
namespace {

constinit Counts own_counts{};
constinit Counts* counts = &own_counts;
constinit std::atomic<bool> armed{false};
constinit bool waits_for_program = false;
constinit std::size_t chosen = kCalls;  // none
constinit long failing_call = 0;
constinit bool goes_on = false;
constinit bool traps = false;  // for a debugger: stop where the call would fail

}  // namespace

bool take_order(const char* text) noexcept {
  char name[32];
  char how[8];
  char when[8];
  char stop[8] = "";
  if (std::sscanf(text, "%31s %ld %7s %7s %7s", name, &failing_call, how, when, stop) < 4) return false;
  for (std::size_t call = 0; call < kCalls; ++call) {
    if (std::strcmp(name, kNames[call]) == 0) chosen = call;
  }
  goes_on = std::strcmp(how, "on") == 0;
  waits_for_program = std::strcmp(when, "armed") == 0;
  traps = std::strcmp(stop, "trap") == 0;
  return chosen != kCalls;
}

void use_counts(Counts* shared) noexcept { counts = shared; }

void arm_at_main() noexcept {
  if (!waits_for_program) armed.store(true);
}

bool must_fail(Call call) noexcept {
  if (!armed.load(std::memory_order_relaxed)) return false;
  const auto index = static_cast<std::size_t>(call);
  const long number = counts->calls[index].fetch_add(1, std::memory_order_relaxed) + 1;
  if (index != chosen || failing_call <= 0) return false;
  if (goes_on ? number < failing_call : number != failing_call) return false;
  if (traps) __builtin_trap();
  counts->failed.fetch_add(1, std::memory_order_relaxed);
  return true;
}

}  // namespace injection

// Called by the program under test, which need not know this library at build time.
extern "C" __attribute__((visibility("default"))) void injection_arm() { injection::armed.store(true); }
extern "C" __attribute__((visibility("default"))) void injection_disarm() { injection::armed.store(false); }
// The number of calls of that function that were made to fail.
extern "C" __attribute__((visibility("default"))) long injection_failed(const char* function) {
  const bool asked =
      injection::chosen != injection::kCalls && std::strcmp(injection::kNames[injection::chosen], function) == 0;
  return asked ? injection::counts->failed.load() : 0;
}
