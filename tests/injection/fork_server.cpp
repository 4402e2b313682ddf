// Runs before main(): starts the program once, or serves any number of runs.
//
// Without INJECTION_SERVER the program runs once, under the order in INJECTION. With INJECTION_SERVER=IN,OUT (two open
// descriptors) it is loaded once and forked for each line "MILLISECONDS OUTPUT FUNCTION N once|on start|armed" from IN.
// The fork happens before main(), when the process has one thread and no runtime was ever opened. Stdout and stderr of
// the run go to OUTPUT.1 and OUTPUT.2. The answer is one line: "STATUS MILLISECONDS FAILED COUNT...". STATUS is
// wait(2)'s status, or -1 for a run that was killed because it did not end; COUNT is the number of calls by function.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "injection/order.hpp"

namespace {

using Main = int (*)(int, char**, char**);

constinit Main program_main = nullptr;

// Programs that this one starts run without injection.
void forget_environment() {
  for (const char* name : {"LD_PRELOAD", "INJECTION", "INJECTION_SERVER"}) unsetenv(name);
}

long milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

void redirect(const char* output, int stream) {
  char path[512];
  std::snprintf(path, sizeof path, "%s.%d", output, stream);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || dup2(file, stream) < 0) _exit(125);
  close(file);
}

// In the child: prepares it to continue as the program.
void become(const char* output, const char* order, int in, int out) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  close(in);
  close(out);
  redirect(output, STDOUT_FILENO);
  redirect(output, STDERR_FILENO);
  if (!injection::take_order(order)) _exit(125);
}

// The status of `child`, or -1 if it had to be killed. Its own children are killed too.
int end_of(pid_t child, int most_ms) {
  const int end = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  pollfd ended{end, POLLIN, 0};
  const long until = milliseconds() + most_ms;
  int ready = 0;
  do {
    const long left = until - milliseconds();
    ready = poll(&ended, 1, left > 0 ? static_cast<int>(left) : 0);
  } while (ready < 0 && errno == EINTR);
  kill(-child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  close(end);
  return ready == 1 ? status : -1;
}

// Avoids stdio, whose buffers a forked program would inherit. False at the end.
bool read_line(int from, char* line, std::size_t size) {
  std::size_t length = 0;
  while (length + 1 < size && read(from, line + length, 1) == 1) {
    if (line[length++] != '\n') continue;
    line[length] = '\0';
    return true;
  }
  return false;
}

void answer(int to, int status, long took, const injection::Counts& counts) {
  char text[512];
  int length = std::snprintf(text, sizeof text, "%d %ld %ld", status, took, counts.failed.load());
  for (const auto& calls : counts.calls) {
    length += std::snprintf(text + length, sizeof text - static_cast<std::size_t>(length), " %ld", calls.load());
  }
  dprintf(to, "%s\n", text);
}

// Returns in a child that must run the program.
void serve(int in, int out) {
  void* const shared =
      mmap(nullptr, sizeof(injection::Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) _exit(125);
  auto* const counts = static_cast<injection::Counts*>(shared);
  injection::use_counts(counts);
  char line[1024];
  while (read_line(in, line, sizeof line)) {
    int most_ms = 0;
    char output[480];
    int order = 0;
    if (std::sscanf(line, "%d %479s %n", &most_ms, output, &order) < 2) _exit(125);
    std::memset(shared, 0, sizeof(injection::Counts));
    const long start = milliseconds();
    const pid_t child = fork();
    if (child == 0) return become(output, line + order, in, out);
    if (child < 0) _exit(125);
    const int status = end_of(child, most_ms);
    answer(out, status, milliseconds() - start, *counts);
  }
  _exit(0);
}

int run_program(int count, char** arguments, char** environment) {
  int in = -1;
  int out = -1;
  if (const char* const server = getenv("INJECTION_SERVER")) {
    if (std::sscanf(server, "%d,%d", &in, &out) != 2) _exit(125);
    serve(in, out);
  } else if (const char* const order = getenv("INJECTION")) {
    if (!injection::take_order(order)) _exit(125);
  }
  forget_environment();
  injection::arm_at_main();
  return program_main(count, arguments, environment);
}

}  // namespace

extern "C" int __libc_start_main(Main main, int count, char** arguments, void (*init)(), void (*fini)(),  // NOLINT
                                 void (*rtld_fini)(), void* stack_end) {
  program_main = main;
  using Start = int(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
  return reinterpret_cast<Start*>(dlsym(RTLD_NEXT, "__libc_start_main"))(run_program, count, arguments, init, fini,
                                                                         rtld_fini, stack_end);
}
