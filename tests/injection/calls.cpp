// Functions that replace those of the C library. Each lets its call fail as the system would, or forwards it:
// allocations to glibc's own entries, because dlsym() may allocate, and the rest to the kernel or to the next
// definition.
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include "injection/order.hpp"

using injection::Call;
using injection::must_fail;

extern "C" {
void* __libc_malloc(std::size_t bytes);                           // NOLINT: glibc's names
void* __libc_calloc(std::size_t count, std::size_t bytes);        // NOLINT
void* __libc_realloc(void* block, std::size_t bytes);             // NOLINT
void* __libc_memalign(std::size_t alignment, std::size_t bytes);  // NOLINT
}

namespace {

template <class Function>
Function* next(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool fails(Call call, int error) noexcept {
  if (!must_fail(call)) return false;
  errno = error;
  return true;
}

// The kernel's answer in the C library's form.
long answer(long result) noexcept {
  if (result >= -4095 && result < 0) {
    errno = static_cast<int>(-result);
    return -1;
  }
  return result;
}

long kernel(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) noexcept {
  long result = number;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return answer(result);
}

long number_of(const void* pointer) noexcept { return reinterpret_cast<long>(pointer); }

}  // namespace

extern "C" {

void* malloc(std::size_t bytes) noexcept { return fails(Call::kMalloc, ENOMEM) ? nullptr : __libc_malloc(bytes); }
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  return fails(Call::kMalloc, ENOMEM) ? nullptr : __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) noexcept {
  return fails(Call::kMalloc, ENOMEM) ? nullptr : __libc_realloc(block, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return fails(Call::kMalloc, ENOMEM) ? nullptr : __libc_memalign(alignment, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept { return aligned_alloc(alignment, bytes); }
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) noexcept {
  void* const made = must_fail(Call::kMalloc) ? nullptr : __libc_memalign(alignment, bytes);
  if (made == nullptr) return ENOMEM;
  *block = made;
  return 0;
}

void* mmap(void* where, std::size_t bytes, int access, int flags, int file, off_t offset) noexcept {
  if (fails(Call::kMmap, ENOMEM)) return MAP_FAILED;
  return reinterpret_cast<void*>(
      kernel(SYS_mmap, number_of(where), static_cast<long>(bytes), access, flags, file, offset));
}
void* mmap64(void* where, std::size_t bytes, int access, int flags, int file, off_t offset) noexcept {
  return mmap(where, bytes, access, flags, file, offset);
}
int munmap(void* where, std::size_t bytes) noexcept {
  if (fails(Call::kMunmap, ENOMEM)) return -1;
  return static_cast<int>(kernel(SYS_munmap, number_of(where), static_cast<long>(bytes)));
}
int mprotect(void* where, std::size_t bytes, int access) noexcept {
  if (fails(Call::kMprotect, ENOMEM)) return -1;
  return static_cast<int>(kernel(SYS_mprotect, number_of(where), static_cast<long>(bytes), access));
}
int madvise(void* where, std::size_t bytes, int advice) noexcept {
  if (fails(Call::kMadvise, EAGAIN)) return -1;
  return static_cast<int>(kernel(SYS_madvise, number_of(where), static_cast<long>(bytes), advice));
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* with) noexcept {
  if (must_fail(Call::kThread)) return EAGAIN;
  return next<decltype(pthread_create)>("pthread_create")(thread, attributes, run, with);
}

// Always forwards six arguments: the kernel ignores the excess.
long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long with[6];
  for (long& argument : with) argument = va_arg(list, long);
  va_end(list);
  if (number == SYS_membarrier && fails(Call::kMembarrier, EPERM)) return -1;
  return kernel(number, with[0], with[1], with[2], with[3], with[4], with[5]);
}

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const int mode = va_arg(list, int);
  va_end(list);
  if (fails(Call::kOpen, EMFILE)) return -1;
  return static_cast<int>(kernel(SYS_openat, AT_FDCWD, number_of(path), flags, mode));
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const int mode = va_arg(list, int);
  va_end(list);
  return open(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const int mode = va_arg(list, int);
  va_end(list);
  if (fails(Call::kOpen, EMFILE)) return -1;
  return static_cast<int>(kernel(SYS_openat, folder, number_of(path), flags, mode));
}
std::FILE* fopen(const char* path, const char* mode) {
  return fails(Call::kOpen, EMFILE) ? nullptr : next<decltype(fopen)>("fopen")(path, mode);
}
std::FILE* fopen64(const char* path, const char* mode) {
  return fails(Call::kOpen, EMFILE) ? nullptr : next<decltype(fopen64)>("fopen64")(path, mode);
}
ssize_t write(int file, const void* bytes, std::size_t count) {
  if (fails(Call::kWrite, ENOSPC)) return -1;
  return kernel(SYS_write, file, number_of(bytes), static_cast<long>(count));
}
int fsync(int file) {
  if (fails(Call::kFsync, EIO)) return -1;
  return static_cast<int>(kernel(SYS_fsync, file));
}
int rename(const char* from, const char* to) noexcept {
  if (fails(Call::kRename, ENOSPC)) return -1;
  return static_cast<int>(kernel(SYS_rename, number_of(from), number_of(to)));
}
pid_t fork() noexcept {
  if (fails(Call::kFork, EAGAIN)) return -1;
  return next<decltype(fork)>("fork")();
}
int pipe2(int* ends, int flags) noexcept {
  if (fails(Call::kPipe, EMFILE)) return -1;
  return static_cast<int>(kernel(SYS_pipe2, number_of(ends), flags));
}

}  // extern "C"
