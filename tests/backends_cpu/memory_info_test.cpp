#include "heddle/backends/cpu/memory_info.hpp"

#include <gtest/gtest.h>

#include "backends_cpu/machine_files.hpp"

namespace heddle::cpu {
namespace {

class MemoryInfoTest : public MachineFiles {
 protected:
  void SetUp() override {
    MachineFiles::SetUp();
    write("/proc/meminfo", "MemTotal:       8192 kB\nMemFree:  1 kB\nMemAvailable:   4096 kB\n");
  }
};

TEST_F(MemoryInfoTest, WithoutLimitItIsTheMachine) {
  EXPECT_EQ(read_memory_info(root_).total_bytes, 8192u * 1024);
  EXPECT_EQ(read_memory_info(root_).free_bytes, 4096u * 1024);
  EXPECT_EQ(read_memory_info(root_).source, "/proc/meminfo");
  write("/sys/fs/cgroup/memory.max", "9000000\n");
  EXPECT_EQ(read_memory_info(root_).source, "/proc/meminfo") << "a limit above what there is";
}

TEST_F(MemoryInfoTest, LeastLimitOfTheGroupAndItsParents) {
  write("/proc/self/cgroup", "1:cpu:/x\n0::/outer/inner\n");
  write("/sys/fs/cgroup/outer/inner/memory.max", "max\n");
  write("/sys/fs/cgroup/outer/memory.max", "1048576\n");
  EXPECT_EQ(read_memory_info(root_).total_bytes, 1048576u);
  EXPECT_EQ(read_memory_info(root_).free_bytes, 1048576u);
  write("/sys/fs/cgroup/memory.max", "4096\n");
  EXPECT_EQ(read_memory_info(root_).total_bytes, 4096u);
}

TEST_F(MemoryInfoTest, LimitOfVersionOne) {
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "2097152\n");
  EXPECT_EQ(read_memory_info(root_).total_bytes, 2097152u);
}

TEST_F(MemoryInfoTest, WithoutMeminfoTheKernelIsAsked) {
  const MemoryInfo kernel{.free_bytes = 1000, .total_bytes = 3000};
  EXPECT_EQ(read_memory_info(root_, kernel).total_bytes, 8192u * 1024) << "meminfo says";
  for (const std::string& root : {root_ + "/none", root_}) {
    write("/proc/meminfo", "nothing\n");
    EXPECT_EQ(read_memory_info(root, kernel).total_bytes, 3000u);
    EXPECT_EQ(read_memory_info(root, kernel).free_bytes, 1000u);
    EXPECT_EQ(read_memory_info(root, kernel).source, "sysinfo");
  }
  write("/sys/fs/cgroup/memory.max", "2000\n");
  EXPECT_EQ(read_memory_info(root_, kernel).total_bytes, 2000u);
}

TEST_F(MemoryInfoTest, TheKernelSaysAboutWhatMeminfoSays) {
  const MemoryInfo kernel = ask_kernel_for_memory();
  EXPECT_GT(kernel.total_bytes, 0u);
  EXPECT_LE(kernel.free_bytes, kernel.total_bytes);
  const MemoryReading files = read_memory_info();
  if (files.source != "/proc/meminfo") GTEST_SKIP() << "limited by " << files.source;
  EXPECT_GE(kernel.total_bytes, files.total_bytes) << "a container's meminfo may say less";
}

TEST_F(MemoryInfoTest, ALimitAloneIsASize) {
  write("/proc/meminfo", "");
  write("/sys/fs/cgroup/memory.max", "2000\n");
  EXPECT_EQ(read_memory_info(root_).total_bytes, 2000u);
  EXPECT_EQ(read_memory_info(root_).source, "cgroup v2, /sys/fs/cgroup/memory.max");
  write("/sys/fs/cgroup/memory.max", "max\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(read_memory_info(root_).total_bytes, 0u) << "no limit is no size";
}

TEST_F(MemoryInfoTest, NothingKnownIsZero) {
  EXPECT_EQ(read_memory_info(root_ + "/none").total_bytes, 0u);
  EXPECT_EQ(read_memory_info(root_ + "/none").source, "");
  EXPECT_EQ(read_processor_name(root_ + "/none"), "CPU");
}

TEST_F(MemoryInfoTest, ProcessorName) {
  write("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU 3000\n");
  EXPECT_EQ(read_processor_name(root_), "Some CPU 3000");
}

}  // namespace
}  // namespace heddle::cpu
