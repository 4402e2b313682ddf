#include "injection/books.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace injection {
namespace {

constexpr std::size_t kPromises = 4096;
constexpr long kRange = 1L << 30;
constexpr int kMostLooksForThreads = 300;  // 10 ms each

// The first noted text, and the number of texts.
struct Notes {
  std::atomic<std::size_t> count{0};
  char first[400] = "";

  void add(const char* phase, const char* text) noexcept {
    if (count.fetch_add(1) != 0) return;
    std::snprintf(first, sizeof first, "%s%s%s", phase, *phase != '\0' ? ": " : "", text);
    for (char* at = first; *at != '\0'; ++at) {
      if (*at == '\n') *at = ' ';
    }
  }
};
constinit Notes wrong;
constinit Notes failed;
constinit std::array<Promise, kPromises> promises{};
constinit std::atomic<std::size_t> promised{0};

// Calls `take` with each line of a file of /proc, without host memory.
template <class Take>
void each_line(const char* path, Take&& take) noexcept {
  const auto file =
      static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC));  // exempt from injection
  if (file < 0) return;
  char line[512];
  std::size_t length = 0;
  for (char next = 0; ::read(file, &next, 1) == 1;) {
    if (next != '\n') {
      if (length + 1 < sizeof line) line[length++] = next;
      continue;
    }
    line[length] = '\0';
    length = 0;
    take(line);
  }
  ::close(file);
}

}  // namespace

void note_wrong(const char* what) noexcept { wrong.add("", what); }
void note_error(const char* phase, const char* text) noexcept { failed.add(phase, text); }
std::size_t errors() noexcept { return failed.count.load(); }

Promise& Promise::take() noexcept {
  const std::size_t next = promised.fetch_add(1);
  if (next >= kPromises) std::abort();
  return promises[next];
}

void Promise::check_all(const char* what) noexcept {
  for (std::size_t i = 0; i < promised.load(); ++i) {
    const int calls = promises[i].calls_.load();
    const bool accepted = promises[i].accepted_.load();
    if (calls == (accepted ? 1 : 0)) continue;
    char text[200];
    std::snprintf(text, sizeof text, "%s: promise %zu was %s and called %d times", what, i,
                  accepted ? "accepted" : "refused", calls);
    note_wrong(text);
  }
}

int conclude() noexcept {
  if (wrong.count.load() != 0) {
    dprintf(STDOUT_FILENO, "WRONG: %s (%zu wrong; %zu errors, the first: %s)\n", wrong.first, wrong.count.load(),
            errors(), failed.first);
    return 3;
  }
  if (errors() != 0) {
    dprintf(STDOUT_FILENO, "error: %s\n", failed.first);
    return 1;
  }
  dprintf(STDOUT_FILENO, "ok\n");
  return 0;
}

Footprint footprint() noexcept {
  Footprint found;
  each_line("/proc/self/status", [&](const char* line) {
    if (std::strncmp(line, "Threads:", 8) == 0) found.threads = std::atol(line + 8);
  });
  each_line("/proc/self/maps", [&](const char* line) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line, "%lx-%lx", &begin, &end) == 2 && end - begin >= static_cast<unsigned long>(kRange)) {
      ++found.ranges;
    }
  });
  return found;
}

void expect_back(const Footprint& before, long ranges_kept) noexcept {
  Footprint now = footprint();
  for (int look = 0; look < kMostLooksForThreads && now.threads > before.threads; ++look) {
    const timespec pause{0, 10'000'000};
    nanosleep(&pause, nullptr);
    now = footprint();
  }
  char text[200];
  std::snprintf(text, sizeof text, "left after the end: %ld threads (%ld before), %ld address ranges (%ld before)",
                now.threads, before.threads, now.ranges, before.ranges);
  expect(now.threads <= before.threads && now.ranges <= before.ranges + ranges_kept, text);
}

}  // namespace injection
