// Takes system calls away from the calling thread, or from the whole process, as sandboxes of services do (seccomp).
//
// There is no way back, so it is for a process of its own: the statement of an EXPECT_EXIT, or a child of fork.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace heddle::test {

// Sanitizers make mappings of their own all the time, and need room for them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

enum class Sandboxed { kThisThread, kProcess };

// A call that is refused: all of them, or those whose argument number `argument` has all bits of `bits`.
struct RefusedCall {
  long number;
  int argument = -1;
  std::uint32_t bits = 0;
  bool exactly = false;  // the argument equals `bits`
};

// From now on the calls fail with `error`. False where the system lets nobody do that.
inline bool refuse_system_calls(std::initializer_list<RefusedCall> calls, int error,
                                Sandboxed who = Sandboxed::kProcess) {
  const auto load = [](std::size_t offset) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  };
  const sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
  std::vector<sock_filter> filter;
  for (const RefusedCall& call : calls) {
    filter.push_back(load(offsetof(seccomp_data, nr)));
    const unsigned char rest = call.argument < 0 ? 1 : call.exactly ? 3 : 4;
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call.number), 0, rest));
    if (call.argument >= 0) {
      filter.push_back(load(offsetof(seccomp_data, args) + 8 * static_cast<std::size_t>(call.argument)));
      if (!call.exactly) filter.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, call.bits));
      filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.bits, 0, 1));
    }
    filter.push_back(refuse);
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  const unsigned long flags = who == Sandboxed::kProcess ? SECCOMP_FILTER_FLAG_TSYNC : 0;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0;
}

}  // namespace heddle::test
