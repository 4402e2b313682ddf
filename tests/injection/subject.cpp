// injection_subject [--once]: uses much of the library while system calls fail, and reports the outcome.
//
// Prints one line: "ok" (exit 0); "error: ..." (exit 1) if calls failed and were reported; "WRONG: ..." (exit 3) if a
// result, a handler, a thread or memory was lost. With --once a failure is expected to pass: a phase that threw must
// succeed when it is repeated.
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <optional>

#include "injection/books.hpp"
#include "injection/phases.hpp"

namespace injection {
namespace {

// Calls `function` of the preloaded library, if there is one.
void tell_injection(const char* function) {
  if (void* const found = dlsym(RTLD_DEFAULT, function)) reinterpret_cast<void (*)()>(found)();
}

long refused_unmaps() {
  void* const found = dlsym(RTLD_DEFAULT, "injection_failed");
  return found != nullptr ? reinterpret_cast<long (*)(const char*)>(found)("munmap") : 0;
}

void run_phases(heddle::Runtime& runtime, bool failures_pass) {
  for (const Phase& phase : phases()) {
    if (guarded(phase.name, [&] { phase.run(runtime); })) continue;
    guarded("synchronize", [&] { runtime.synchronize(); });  // the stream skips until then
    if (!failures_pass) continue;
    if (!guarded(phase.name, [&] { phase.run(runtime); }))
      note_wrong("a phase failed again after its failure had passed");
  }
}

// True: the runtime ended, so it leaves nothing.
bool use_runtime(bool failures_pass) {
  heddle::Options options;
  options.cpu_workers = 2;
  heddle::Runtime runtime(options);
  tell_injection("injection_arm");
  run_phases(runtime, failures_pass);
  const heddle::ShutdownReport report = runtime.shutdown();
  char text[200];
  std::snprintf(text, sizeof text,
                "a shutdown that is not complete: %zu commands abandoned, %zu handlers pending, busy: %s",
                static_cast<std::size_t>(report.abandoned), static_cast<std::size_t>(report.handlers_pending),
                report.busy.c_str());
  if (!report.complete && !failures_pass) {  // a list that the host never has the memory to submit: reported, and kept
    expect(report.abandoned != 0 || report.handlers_pending != 0 || report.handlers_abandoned != 0,
           "an incomplete shutdown that reports nothing as abandoned");
    note_error("shutdown", text);
    return false;
  }
  expect(report.complete && report.handlers_pending == 0, text);
  expect(report.leaked_blocks == 0, "blocks that are left after the last tensor");
  try {
    full(runtime, {1}, 1.0f);
    note_wrong("an operation after the shutdown is accepted");
  } catch (const heddle::Closed&) {  // NOLINT(bugprone-empty-catch): what must happen
  }
  return true;
}

int run(bool failures_pass) {
  const Footprint before = footprint();
  bool ended = true;
  guarded("runtime", [&] { ended = use_runtime(failures_pass); });
  tell_injection("injection_disarm");
  if (ended) expect_back(before, refused_unmaps());
  Promise::check_all("handlers, deleters and captures");
  return conclude();
}

}  // namespace
}  // namespace injection

int main(int count, char** arguments) { return injection::run(count > 1 && std::strcmp(arguments[1], "--once") == 0); }
