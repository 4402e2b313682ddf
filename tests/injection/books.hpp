// What the subject of injection keeps book of: wrong results, errors that it caught, and calls that must happen once.
//
// Nothing here allocates, for books are kept where no memory is left. Thread safety: all functions.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>

namespace injection {

// A result that is not what it must be: the run has failed, whatever it does next.
void note_wrong(const char* what) noexcept;
void note_error(const char* phase, const char* text) noexcept;
inline void expect(bool holds, const char* what) noexcept {
  if (!holds) note_wrong(what);
}

// Something that must be called once where it was accepted, and never where it was refused.
class Promise {
 public:
  // From a fixed store; a null one is not returned: the program ends when the store is empty.
  static Promise& take() noexcept;
  void call() noexcept { calls_.fetch_add(1); }
  void accepted() noexcept { accepted_.store(true); }
  // Notes every promise that was not kept.
  static void check_all(const char* what) noexcept;

 private:
  std::atomic<int> calls_{0};
  std::atomic<bool> accepted_{false};
};

// Calls its promise when the last copy of the object that owns it goes: what a lambda captures.
struct CallsAtEnd {
  Promise* promise;
  explicit CallsAtEnd(Promise& of) noexcept : promise(&of) {}
  CallsAtEnd(const CallsAtEnd&) = delete;
  CallsAtEnd& operator=(const CallsAtEnd&) = delete;
  ~CallsAtEnd() { promise->call(); }
};

// Runs `phase`; notes what it throws. True: it threw nothing.
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

// Threads of this process, and mappings of at least a GiB (address ranges of runtimes).
struct Footprint {
  long threads = 0;
  long ranges = 0;
};
Footprint footprint() noexcept;
// Waits a moment for threads that are about to end; notes what is left beyond `before`. `ranges_kept`: that the system
// refused to unmap.
void expect_back(const Footprint& before, long ranges_kept) noexcept;

}  // namespace injection
