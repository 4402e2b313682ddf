#include "heddle/backends/cpu/cgroups.hpp"

#include <string>

#include "backends_cpu/machine_files.hpp"

namespace heddle::cpu {
namespace {

constexpr const char* kUnlimited = "9223372036854771712\n";  // as version 1 writes it

class Cgroups : public MachineFiles {
 protected:
  std::size_t memory() const {
    const auto limit = cgroup_memory_limit(root_);
    return limit ? limit->value : 0;
  }
  std::string memory_source() const {
    const auto limit = cgroup_memory_limit(root_);
    return limit ? limit->source : "";
  }
  unsigned processors() const {
    const auto limit = cgroup_processor_limit(root_);
    return limit ? limit->value : 0;
  }
  // Lines of mountinfo: a group of the hierarchy, and where it can be seen.
  void mount(const std::string& group, const std::string& point, const std::string& type, const std::string& options) {
    mounts_ +=
        "31 23 0:28 " + group + " " + point + " rw,relatime shared:9 - " + type + " " + type + " " + options + "\n";
    write("/proc/self/mountinfo", mounts_);
  }

 private:
  std::string mounts_ = "22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n";
};

TEST_F(Cgroups, WithoutFilesNothingIsLimited) {
  EXPECT_FALSE(cgroup_memory_limit(root_).has_value());
  EXPECT_FALSE(cgroup_processor_limit(root_).has_value());
}

TEST_F(Cgroups, VersionTwoIsWalkedToTheRoot) {
  write("/proc/self/cgroup", "0::/a/b/c\n");
  mount("/", "/sys/fs/cgroup", "cgroup2", "rw,nsdelegate");
  write("/sys/fs/cgroup/a/b/c/memory.max", "max\n");
  EXPECT_EQ(memory(), 0u);
  write("/sys/fs/cgroup/a/memory.max", "3000\n");
  EXPECT_EQ(memory(), 3000u);
  write("/sys/fs/cgroup/a/b/memory.max", "2000\n");
  EXPECT_EQ(memory(), 2000u);
  EXPECT_EQ(memory_source(), "cgroup v2, /sys/fs/cgroup/a/b/memory.max");
  write("/sys/fs/cgroup/memory.max", "1000\n");
  EXPECT_EQ(memory(), 1000u) << "the root of a namespace has one";
}

TEST_F(Cgroups, VersionOneIsWalkedToTheRootOfItsMount) {
  write("/proc/self/cgroup", "9:name=systemd:/x\n4:memory:/a/b\n2:cpu,cpuacct:/\n");
  mount("/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct");
  mount("/", "/sys/fs/cgroup/mem", "cgroup", "rw,memory");
  write("/sys/fs/cgroup/mem/memory.limit_in_bytes", kUnlimited);
  write("/sys/fs/cgroup/mem/a/b/memory.limit_in_bytes", kUnlimited);
  EXPECT_EQ(memory(), 0u);
  write("/sys/fs/cgroup/mem/a/memory.limit_in_bytes", "3000\n");
  EXPECT_EQ(memory(), 3000u);
  write("/sys/fs/cgroup/mem/a/b/memory.limit_in_bytes", "2000\n");
  EXPECT_EQ(memory(), 2000u);
  EXPECT_EQ(memory_source(), "cgroup v1, /sys/fs/cgroup/mem/a/b/memory.limit_in_bytes");
  write("/sys/fs/cgroup/mem/other/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(memory(), 2000u) << "a group of others";
}

TEST_F(Cgroups, HybridTakesTheLesserOfBothVersions) {
  write("/proc/self/cgroup", "4:memory:/one\n0::/two\n");
  mount("/", "/sys/fs/cgroup/memory", "cgroup", "rw,memory");
  mount("/", "/sys/fs/cgroup/unified", "cgroup2", "rw");
  write("/sys/fs/cgroup/memory/one/memory.limit_in_bytes", "3000\n");
  EXPECT_EQ(memory(), 3000u);
  write("/sys/fs/cgroup/unified/two/memory.max", "2000\n");
  EXPECT_EQ(memory(), 2000u);
  write("/sys/fs/cgroup/memory/one/memory.limit_in_bytes", "1000\n");
  EXPECT_EQ(memory(), 1000u);
}

TEST_F(Cgroups, AContainerSeesItsOwnGroupAtTheMount) {
  write("/proc/self/cgroup", "4:memory:/docker/abc/inner\n0::/docker/abc/inner\n");
  mount("/docker/abc", "/sys/fs/cgroup/memory", "cgroup", "rw,memory");
  mount("/docker/abc", "/sys/fs/cgroup", "cgroup2", "rw");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "3000\n");
  EXPECT_EQ(memory(), 3000u);
  write("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "2000\n");
  EXPECT_EQ(memory(), 2000u);
  write("/sys/fs/cgroup/inner/memory.max", "1000\n");
  EXPECT_EQ(memory(), 1000u);
}

TEST_F(Cgroups, APathThatIsNotUnderTheMountFallsBackToItsRoot) {
  for (const char* group : {"/host/pod/abc", "/../other", "/docker/abcdef", "/docker", ""}) {
    write("/proc/self/cgroup", std::string("4:memory:") + group + "\n");
    write("/proc/self/mountinfo", "1 2 0:1 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "3000\n");
    EXPECT_EQ(memory(), 3000u) << group;
  }
  // Under the mount by its name, and not there.
  write("/proc/self/cgroup", "4:memory:/docker/abc/gone\n");
  EXPECT_EQ(memory(), 3000u);
}

TEST_F(Cgroups, AMountThatHoldsTheGroupGoesBeforeOneThatDoesNot) {
  write("/proc/self/cgroup", "4:memory:/mine\n");
  mount("/others", "/mnt/others", "cgroup", "rw,memory");
  mount("/", "/sys/fs/cgroup/memory", "cgroup", "rw,memory");
  write("/mnt/others/memory.limit_in_bytes", "1\n");
  write("/sys/fs/cgroup/memory/mine/memory.limit_in_bytes", "2000\n");
  EXPECT_EQ(memory(), 2000u);
}

TEST_F(Cgroups, WithoutMountsTheUsualPlacesAreTried) {
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "3000\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(memory(), 3000u);
  EXPECT_EQ(processors(), 2u);
  write("/sys/fs/cgroup/memory.max", "2000\n");
  EXPECT_EQ(memory(), 2000u);
}

TEST_F(Cgroups, LimitsOfGroupsThatCannotBeSeenStandInTheStatistics) {
  write("/proc/self/cgroup", "4:memory:/docker/abc\n");
  mount("/docker/abc", "/sys/fs/cgroup/memory", "cgroup", "rw,memory");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", kUnlimited);
  write("/sys/fs/cgroup/memory/memory.stat", "cache 5\nhierarchical_memory_limit 4000\nhierarchical_memsw_limit 1\n");
  EXPECT_EQ(memory(), 4000u);
  write("/sys/fs/cgroup/memory/memory.stat", std::string("cache 5\nhierarchical_memory_limit ") + kUnlimited);
  EXPECT_EQ(memory(), 0u);
}

TEST_F(Cgroups, NamesMayHoldSpacesColonsAndTheWordDeleted) {
  write("/proc/self/cgroup", "4:memory:/a b/c:d (deleted)\n");
  mount("/", "/sys/fs/c\\040group", "cgroup", "rw,memory");
  write("/sys/fs/c group/a b/c:d/memory.limit_in_bytes", "2000\n");
  EXPECT_EQ(memory(), 2000u);
}

TEST_F(Cgroups, QuotasAreRoundedUpToWholeProcessors) {
  write("/proc/self/cgroup", "0::/a/b\n");
  mount("/", "/sys/fs/cgroup", "cgroup2", "rw");
  const auto with = [&](const std::string& quota) {
    write("/sys/fs/cgroup/a/b/cpu.max", quota);
    return processors();
  };
  EXPECT_EQ(with("max 100000\n"), 0u);
  EXPECT_EQ(with("100000 100000\n"), 1u);
  EXPECT_EQ(with("100001 100000\n"), 2u);
  EXPECT_EQ(with("1000 100000\n"), 1u);
  EXPECT_EQ(with("250000\n"), 3u) << "the period left out";
  EXPECT_EQ(with("800000 100000\n"), 8u);
  write("/sys/fs/cgroup/a/cpu.max", "50000 25000\n");
  EXPECT_EQ(processors(), 2u) << "a group around it";
}

TEST_F(Cgroups, QuotasOfVersionOne) {
  write("/proc/self/cgroup", "2:cpu,cpuacct:/a/b\n");
  mount("/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct");
  const std::string point = "/sys/fs/cgroup/cpu,cpuacct";
  write(point + "/a/b/cpu.cfs_quota_us", "-1\n");
  write(point + "/a/b/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(processors(), 0u);
  write(point + "/a/cpu.cfs_quota_us", "350000\n");
  write(point + "/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(processors(), 4u);
  write(point + "/a/b/cpu.cfs_quota_us", "50000\n");
  EXPECT_EQ(processors(), 1u);
}

TEST_F(Cgroups, WhatCannotBeReadSetsNoLimit) {
  write("/proc/self/cgroup", "::::\n\n4:memory\n4:memory:/a\nnonsense");
  write("/proc/self/mountinfo", "nonsense\n- - - -\n31 23 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory");
  for (const char* text : {"", "x", "-5", "0", "99999999999999999999999999", "\xff\xfe", "max max"}) {
    write("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", text);
    write("/sys/fs/cgroup/memory/a/memory.stat", text);
    write("/sys/fs/cgroup/memory.max", text);
    write("/sys/fs/cgroup/cpu.max", text);
    write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text);
    write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", text);
    EXPECT_EQ(memory(), 0u) << text;
    EXPECT_EQ(processors(), 0u) << text;
  }
}

}  // namespace
}  // namespace heddle::cpu
