// Runtimes on machines that lack something: /proc, room, membarrier. Each test is its own process, which restricts
// itself as far as the system permits; otherwise the test is skipped.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"
#include "own_process.hpp"
#include "sandbox.hpp"

namespace heddle {
namespace {

using test::in_own_process;
using test::refuse_system_calls;
using test::require;
using test::Sandboxed;
using test::skip;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

float product_sum(Runtime& runtime) {
  const Tensor x = full(runtime, {64, 64}, 1.0f);
  return sum(matmul(x, x)).item();
}
constexpr float kProductSum = 64.0f * 64 * 64;

// A view of the machine in which something else is mounted on `target`.
void mount_on(const char* target, const char* type, const char* options) {
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount(type, target, type, 0, options) != 0) {
    skip();
  }
}

std::uint64_t physical_memory() {
  struct sysinfo machine{};
  require(sysinfo(&machine) == 0, "sysinfo answers");
  return std::uint64_t{machine.totalram} * machine.mem_unit;
}

void works_without_meminfo() {
  require(!std::ifstream("/proc/meminfo").is_open(), "there is no meminfo");
  {
    Runtime runtime;
    const DeviceInfo& device = runtime.device_info();
    require(device.memory_bytes > 0 && device.memory_bytes <= physical_memory(), "the size is the machine's");
    require(device.memory_source == "sysinfo" || device.memory_source.starts_with("cgroup"), device.memory_source);
    require(product_sum(runtime) == kProductSum, "it computes");
  }
  Options options;
  options.memory_limit = 256 * kMiB;
  Runtime runtime(options);
  require(runtime.memory_statistics().limit == 256 * kMiB, "the limit is the given one");
  require(product_sum(runtime) == kProductSum, "it computes");
}

TEST(Machine, WithoutProc) {
  in_own_process([] {
    mount_on("/proc", "tmpfs", nullptr);
    works_without_meminfo();
  });
}

TEST(Machine, WithProcOfProcessesOnly) {  // systemd's ProcSubset=pid
  in_own_process([] {
    mount_on("/proc", "proc", "subset=pid");
    works_without_meminfo();
  });
}

TEST(Machine, WithoutProcSysAndSysinfoALimitIsBelieved) {
  in_own_process([] {
    mount_on("/proc", "tmpfs", nullptr);
    mount_on("/sys", "tmpfs", nullptr);
    if (!refuse_system_calls({{SYS_sysinfo}}, EPERM)) skip();
    try {
      Runtime runtime;
      require(false, "opening fails");
    } catch (const Unsupported& error) {
      require(std::string(error.what()).find("HEDDLE_MEMORY_LIMIT") != std::string::npos, error.what());
    }
    Options options;
    options.memory_limit = 64 * kMiB;
    Runtime runtime(options);
    require(runtime.memory_statistics().limit == 64 * kMiB, "the limit is the given one");
    require(product_sum(runtime) == kProductSum, "it computes");
    try {
      options.memory_limit = 1;
      Runtime refused(options);
      require(false, "opening fails");
    } catch (const InvalidArgument& error) {
      require(std::string(error.what()).ends_with("allowed: 4096 or more"), error.what());
    }
  });
}

// A new group below this process's own, with `file` set to `value`, which the process then enters. The parent removes
// it.
class Group {
 public:
  Group(const std::string& hierarchy, const std::string& controller) {
    std::string own;
    std::ifstream groups("/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
      const std::string key = ":" + controller + ":";
      if (const std::size_t at = line.find(key); at != std::string::npos) own = line.substr(at + key.size());
    }
    path_ = hierarchy + (own == "/" ? "" : own) + "/heddle_test_" + std::to_string(getpid());
    inner_ = path_ + "/inner";
    there_ = mkdir(path_.c_str(), 0755) == 0 && mkdir(inner_.c_str(), 0755) == 0;
  }
  ~Group() {
    rmdir(inner_.c_str());
    rmdir(path_.c_str());
  }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  bool set(const std::string& file, const std::string& value) const {
    return there_ && write(path_ + "/" + file, value);
  }
  void enter() const {
    if (!there_ || !write(inner_ + "/cgroup.procs", std::to_string(getpid()))) skip();
  }

 private:
  static bool write(const std::string& file, const std::string& text) {
    if (!std::filesystem::exists(file)) return false;
    std::ofstream stream(file);
    stream << text << std::flush;
    return stream.good();
  }

  std::string path_, inner_;
  bool there_ = false;
};

struct Hierarchy {
  const char* mount;
  const char* controller;  // as named in /proc/self/cgroup
  const char* file;
  const char* value;
};

class GroupsAround : public testing::TestWithParam<Hierarchy> {};

using MemoryOfAGroup = GroupsAround;
INSTANTIATE_TEST_SUITE_P(Versions, MemoryOfAGroup,
                         testing::Values(Hierarchy{"/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes",
                                                   "268435456"},
                                         Hierarchy{"/sys/fs/cgroup", "", "memory.max", "268435456"}));
TEST_P(MemoryOfAGroup, IsTheSizeOfTheDevice) {
  const Group group(GetParam().mount, GetParam().controller);
  if (!group.set(GetParam().file, GetParam().value)) GTEST_SKIP() << "such a group cannot be created here";
  in_own_process([&] {
    group.enter();
    Runtime runtime;
    require(runtime.device_info().memory_bytes == 256 * kMiB, std::to_string(runtime.device_info().memory_bytes));
    require(runtime.device_info().memory_source.starts_with("cgroup"), runtime.device_info().memory_source);
    require(product_sum(runtime) == kProductSum, "it computes");
  });
}

using QuotaOfAGroup = GroupsAround;
INSTANTIATE_TEST_SUITE_P(Versions, QuotaOfAGroup,
                         testing::Values(Hierarchy{"/sys/fs/cgroup/cpu", "cpu", "cpu.cfs_quota_us", "50000"},
                                         Hierarchy{"/sys/fs/cgroup/cpu,cpuacct", "cpu,cpuacct", "cpu.cfs_quota_us",
                                                   "50000"},
                                         Hierarchy{"/sys/fs/cgroup", "", "cpu.max", "50000 100000"}));
TEST_P(QuotaOfAGroup, IsTheNumberOfWorkers) {
  const Group group(GetParam().mount, GetParam().controller);
  if (!group.set(GetParam().file, GetParam().value)) GTEST_SKIP() << "such a group cannot be created here";
  in_own_process([&] {
    group.enter();
    Runtime runtime;
    require(runtime.device_info().workers == 1, std::to_string(runtime.device_info().workers));
    require(product_sum(runtime) == kProductSum, "it computes");
  });
}

void use_up_mappings() {
  for (;;) {
    void* const mapping = mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED || mprotect(mapping, 4096, PROT_READ) != 0) return;
  }
}

TEST(Machine, WithAFullTableOfMappingsMemoryIsGivenBack) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizer needs mappings";
  in_own_process([] {
    Options options;
    options.memory_limit = 512 * kMiB;
    Runtime runtime(options);
    std::vector<Tensor> tensors;
    for (int i = 0; i < 16; ++i) tensors.push_back(full(runtime, {1 << 21}, 1.0f));
    runtime.synchronize();
    use_up_mappings();
    for (std::size_t i = 1; i < 16; i += 2) tensors[i] = Tensor();
    runtime.synchronize();
    const std::uint64_t before = runtime.memory_statistics().reserved;
    const std::size_t released = runtime.release_cached();
    require(released >= 8 * (8 * kMiB), "freed memory goes back");
    require(runtime.memory_statistics().reserved == before - released, "and no longer counts");
    require(sum(tensors[0]).item() == float(1 << 21), "the rest is unchanged");
    try {
      tensors[1] = full(runtime, {1 << 21}, 2.0f);
      require(sum(tensors[1]).item() == 2.0f * (1 << 21), "new memory can be used");
    } catch (const OutOfMemory&) {  // allowed: the system refused
    }
    tensors.clear();
    require(runtime.shutdown().complete, "the shutdown is complete");
  });
}

using SandboxAfterOpening = testing::TestWithParam<std::tuple<Sandboxed, int>>;
INSTANTIATE_TEST_SUITE_P(ThreadOrProcess, SandboxAfterOpening,
                         testing::Combine(testing::Values(Sandboxed::kThisThread, Sandboxed::kProcess),
                                          testing::Values(EPERM, ENOSYS)));
TEST_P(SandboxAfterOpening, StreamsAreTakenFromIdleThreadsAsBefore) {
  in_own_process([] {
    Options options;
    options.streams = 2;
    options.streams_max = 2;  // threads revoke each other's streams, which needs the fence
    Runtime runtime(options);
    require(product_sum(runtime) == kProductSum, "it computes");
    const auto [who, error] = GetParam();
    if (!refuse_system_calls({{SYS_membarrier}}, error, who)) skip();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&runtime] {
        for (int i = 0; i < 200; ++i) require(product_sum(runtime) == kProductSum, "each result is right");
      });
    }
    for (int i = 0; i < 50; ++i) runtime.release_cached();
    for (std::thread& thread : threads) thread.join();
    require(runtime.shutdown().complete, "the shutdown is complete");
  });
}

TEST(Machine, WithTooLittleRoomForOneDnnOpeningIsRefused) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizer needs more room than that";
  in_own_process([] {
    unsigned long pages = 0;
    if (!(std::ifstream("/proc/self/statm") >> pages)) skip();
    const rlimit room{pages * 4096 + 24 * kMiB, RLIM_INFINITY};
    require(setrlimit(RLIMIT_AS, &room) == 0, "a limit can be set");
    Options options;
    options.cpu_workers = 1;
    try {
      Runtime runtime(options);
      if (runtime.device_info().kernels.find("oneDNN") == std::string::npos) skip();
      require(false, "opening fails");
    } catch (const OutOfMemory& error) {
      require(std::string(error.what()).find("HEDDLE_CPU_KERNELS=portable") != std::string::npos, error.what());
    }
    options.cpu_kernels = CpuKernels::kPortable;
    Runtime runtime(options);
    require(product_sum(runtime) == kProductSum, "the portable kernels need no such room");
  });
}

}  // namespace
}  // namespace heddle
