// process_thread_memory [N]: threads use heddle for the first time while the host really runs out of memory.
//
// Replaces malloc itself, so that allocations in the C library fail too: its registration of thread_local destructors
// ends the process then. In each thread the n-th allocation fails, alone or with all that follow. The thread must get
// an error that it can catch, and afterwards the runtime works. Exit code 0, no output.
#include <errno.h>
#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <thread>

#include "heddle/heddle.hpp"

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {

constinit thread_local std::size_t fails_in = 0;  // the allocation of this thread that fails; 0: none
constinit thread_local bool goes_on = false;      // all later ones fail too
constinit thread_local bool failed = false;

bool fails() noexcept {
  if (fails_in == 0) return false;
  if (fails_in > 1) {
    --fails_in;
    return false;
  }
  if (!goes_on) fails_in = 0;
  failed = true;
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {
void* malloc(std::size_t bytes) noexcept { return fails() ? nullptr : __libc_malloc(bytes); }
void* calloc(std::size_t count, std::size_t bytes) noexcept { return fails() ? nullptr : __libc_calloc(count, bytes); }
void* realloc(void* old, std::size_t bytes) noexcept { return fails() ? nullptr : __libc_realloc(old, bytes); }
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return fails() ? nullptr : __libc_memalign(alignment, bytes);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) noexcept {
  if (fails()) return ENOMEM;
  *out = __libc_memalign(alignment, bytes);
  return *out == nullptr ? ENOMEM : 0;
}
}

namespace {

struct Outcome {
  bool failed = false;    // the failing allocation was reached
  bool recorded = false;  // the first use still succeeded
};

// Runs in a new thread each time, which has none of the memory for a first use. `gives_back`: the first use is the end
// of another thread's tensor.
Outcome first_use(heddle::Runtime& runtime, std::size_t at, bool all_later, bool gives_back) {
  Outcome outcome;
  heddle::Tensor other = heddle::full(runtime, {1}, 1.0F);
  runtime.synchronize();
  std::thread([&] {
    fails_in = at;
    goes_on = all_later;
    try {
      if (gives_back) other = heddle::Tensor();
      heddle::full(runtime, {1}, 2.0F);
      outcome.recorded = true;
    } catch (const std::bad_alloc&) {
    } catch (const heddle::Error&) {
    }
    outcome.failed = failed;
    fails_in = 0;
    // With memory available again, this thread records normally.
    if (heddle::full(runtime, {1}, 3.0F).item() != 3.0F) std::abort();
  }).join();
  return outcome;
}

// True if every allocation of a first use failed in turn.
bool all_of_first_use(heddle::Runtime& runtime, bool all_later, bool gives_back) {
  constexpr std::size_t kMost = 200;
  bool refused = false;
  for (std::size_t at = 1; at < kMost; ++at) {
    const Outcome outcome = first_use(runtime, at, all_later, gives_back);
    refused = refused || (outcome.failed && !outcome.recorded);
    if (!outcome.failed) return outcome.recorded && refused;
  }
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  // Takes all pthread keys that the system gives without memory, so the library's own key needs some in each thread.
  const int keys = count > 1 ? std::atoi(arguments[1]) : 0;
  for (int i = 0; i < keys; ++i) {
    pthread_key_t key{};
    if (pthread_key_create(&key, nullptr) != 0) return 2;
  }
  heddle::Options options;
  options.cpu_kernels = heddle::CpuKernels::kPortable;
  heddle::Runtime runtime(options);
  if (heddle::full(runtime, {1}, 1.0F).item() != 1.0F) return 1;
  for (const bool all_later : {false, true}) {
    for (const bool gives_back : {false, true}) {
      if (!all_of_first_use(runtime, all_later, gives_back)) return 1;
    }
  }
  return runtime.shutdown().complete ? 0 : 1;
}
