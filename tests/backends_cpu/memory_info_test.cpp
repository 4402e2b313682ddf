#include "heddle/backends/cpu/memory_info.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace heddle::cpu {
namespace {

class MemoryInfoTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "heddle_memory_info_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(root_);
    write("/proc/meminfo", "MemTotal:       8192 kB\nMemFree:  1 kB\nMemAvailable:   4096 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  std::string root_;
};

TEST_F(MemoryInfoTest, WithoutLimitItIsTheMachine) {
  EXPECT_EQ(read_memory_info(root_).total_bytes, 8192u * 1024);
  EXPECT_EQ(read_memory_info(root_).free_bytes, 4096u * 1024);
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

TEST_F(MemoryInfoTest, NothingKnownIsZero) {
  EXPECT_EQ(read_memory_info(root_ + "/none").total_bytes, 0u);
  EXPECT_EQ(read_processor_name(root_ + "/none"), "CPU");
}

TEST_F(MemoryInfoTest, ProcessorName) {
  write("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU 3000\n");
  EXPECT_EQ(read_processor_name(root_), "Some CPU 3000");
}

}  // namespace
}  // namespace heddle::cpu
