#include "heddle/backends/cpu/processors.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include "backends_cpu/machine_files.hpp"
#include "heddle/backends/cpu/open.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle::cpu {
namespace {

class ReadProcessors : public MachineFiles {};

TEST_F(ReadProcessors, TheAffinityWhereNoQuotaIsLess) {
  const unsigned allowed = sync::available_processors();
  EXPECT_EQ(read_processors(root_).count, allowed);
  EXPECT_EQ(read_processors(root_).source, "affinity");
  write("/sys/fs/cgroup/cpu.max", std::to_string(allowed * 1000) + " 1000\n");
  EXPECT_EQ(read_processors(root_).source, "affinity") << "equal";
}

TEST_F(ReadProcessors, TheQuotaWhereItIsLess) {
  if (sync::available_processors() < 2) GTEST_SKIP() << "one processor: no quota is less";
  write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(read_processors(root_).count, 1u);
  EXPECT_EQ(read_processors(root_).source, "cgroup v2, /sys/fs/cgroup/cpu.max");
}

TEST(Processors, TheAffinityOfTheOpeningThreadCounts) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  const int mine = sched_getcpu();
  ASSERT_GE(mine, 0);
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(mine), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(sync::available_processors(), 1u);
  std::unique_ptr<Device> device;
  EXPECT_TRUE(open_cpu({.workers = 0, .kernels = CpuKernels::kPortable}, &device).ok());
  sched_setaffinity(0, sizeof(before), &before);
  EXPECT_EQ(device->info().workers, 1u);
  EXPECT_EQ(device->info().processors_source, "affinity");
}

}  // namespace
}  // namespace heddle::cpu
