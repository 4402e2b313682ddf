#include "environment/conditions.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace environment {
namespace {

struct NamedCall {
  std::string_view name;
  unsigned number;
};
constexpr NamedCall kCalls[] = {
    {"membarrier", SYS_membarrier},
    {"sched_setattr", SYS_sched_setattr},
    {"sched_getattr", SYS_sched_getattr},
    {"sched_yield", SYS_sched_yield},
    {"getcpu", SYS_getcpu},
    {"sched_getaffinity", SYS_sched_getaffinity},
    {"madvise", SYS_madvise},
    {"rseq", SYS_rseq},
    {"set_robust_list", SYS_set_robust_list},
    {"sysinfo", SYS_sysinfo},
    {"clock_nanosleep", SYS_clock_nanosleep},
    {"readlink", SYS_readlink},
    {"mprotect", SYS_mprotect},
    {"mremap", SYS_mremap},
    {"munmap", SYS_munmap},
    {"clone", SYS_clone},
    {"clone3", SYS_clone3},
    {"prctl", SYS_prctl},
    {"getrandom", SYS_getrandom},
    {"openat", SYS_openat},
    {"statfs", SYS_statfs},
};

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::_Exit(125);
}

void install(const std::vector<sock_filter>& filter, bool all_threads) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up("no_new_privs");
  const unsigned flags = all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) != 0) give_up("seccomp");
}

sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)); }
sock_filter refusal(int error) { return BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)); }
constexpr sock_filter kAllow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

unsigned number_of(std::string_view name) {
  for (const NamedCall& call : kCalls) {
    if (call.name == name) return call.number;
  }
  std::fprintf(stderr, "no system call '%.*s' here\n", static_cast<int>(name.size()), name.data());
  std::_Exit(125);
}

}  // namespace

void refuse_calls(const char* names, int error, bool all_threads) {
  std::vector<sock_filter> filter{load(offsetof(seccomp_data, nr))};
  for (std::string_view rest = names; !rest.empty();) {
    const std::size_t end = rest.find(',');
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number_of(rest.substr(0, end)), 0, 1));
    filter.push_back(refusal(error));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  filter.push_back(kAllow);
  install(filter, all_threads);
}

void refuse_writable_code() {
  constexpr unsigned kAccess = offsetof(seccomp_data, args) + 2 * sizeof(__u64);  // the third argument of both calls
  const std::vector<sock_filter> filter{
      load(offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),  // refused: writable and executable at the same time
      load(kAccess),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_WRITE | PROT_EXEC, 4, 5),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 1, 0),  // refused: executable from now on
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pkey_mprotect, 0, 3),
      load(kAccess),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
      refusal(EPERM),
      kAllow,
  };
  install(filter, true);
}

bool take_mappings(std::size_t left) {
  long most = 0;
  if (std::FILE* const file = std::fopen("/proc/sys/vm/max_map_count", "r")) {
    if (std::fscanf(file, "%ld", &most) != 1) most = 0;
    std::fclose(file);
  }
  constexpr long kMostToTry = 300'000;
  if (most <= 0 || most > kMostToTry) return false;
  const long page = sysconf(_SC_PAGESIZE);
  auto* const base = static_cast<char*>(mmap(nullptr, static_cast<std::size_t>(2 * most * page), PROT_NONE,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (base == MAP_FAILED) return false;
  // Every other page gets a different protection, so each makes two mappings.
  long next = 1;
  while (next < 2 * most && mprotect(base + next * page, static_cast<std::size_t>(page), PROT_READ) == 0) next += 2;
  for (std::size_t given = 0; given < left && next > 2; given += 2) {
    next -= 2;
    mprotect(base + next * page, static_cast<std::size_t>(page), PROT_NONE);
  }
  return true;
}

void set_stack_size(std::size_t bytes) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  if (const int error = pthread_attr_setstacksize(&attributes, bytes); error != 0) {
    errno = error;
    give_up("stack size");
  }
  pthread_setattr_default_np(&attributes);
}

}  // namespace environment
