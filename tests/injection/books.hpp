// The books of the injection subject: wrong results, caught errors, and calls that must happen exactly once.
//
// Nothing here allocates, because books are kept after memory has run out. Thread safety: all functions.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>

namespace injection {

// Notes a wrong result: the run has failed, whatever it does next.
void note_wrong(const char* what) noexcept;
void note_error(const char* phase, const char* text) noexcept;
inline void expect(bool holds, const char* what) noexcept {
  if (!holds) note_wrong(what);
}

// A call that must happen exactly once if it was accepted, and never if it was refused.
class Promise {
 public:
  // From a fixed store. Never null: the program ends when the store is empty.
  static Promise& take() noexcept;
  void call() noexcept { calls_.fetch_add(1); }
  void accepted() noexcept { accepted_.store(true); }
  // Notes every promise that was not kept.
  static void check_all(const char* what) noexcept;

 private:
  std::atomic<int> calls_{0};
  std::atomic<bool> accepted_{false};
};

// For lambda captures: fulfills its promise when the last copy of the owning object is destroyed.
struct CallsAtEnd {
  Promise* promise;
  explicit CallsAtEnd(Promise& of) noexcept : promise(&of) {}
  CallsAtEnd(const CallsAtEnd&) = delete;
  CallsAtEnd& operator=(const CallsAtEnd&) = delete;
  ~CallsAtEnd() { promise->call(); }
};

// Runs `phase` and notes an exception from it. True: it threw nothing.
template <class Phase>
bool guarded(const char* name, Phase&& phase) noexcept {
  try {
    phase();
    return true;
  } catch (const std::exception& error) {
    note_error(name, error.what());
  } catch (...) {
    note_error(name, "an exception of unknown type");
  }
  return false;
}

std::size_t errors() noexcept;
// Prints "ok", "error: PHASE: TEXT" or "WRONG: ..." as one line; returns the exit code: 0, 1 or 3.
int conclude() noexcept;

// Threads of this process, and mappings of at least one GiB (address ranges of runtimes).
struct Footprint {
  long threads = 0;
  long ranges = 0;
};
Footprint footprint() noexcept;
// Waits a moment for threads that are about to end; notes the excess over `before`. `ranges_kept`: the number of ranges
// that the system refused to unmap.
void expect_back(const Footprint& before, long ranges_kept) noexcept;

}  // namespace injection
