// heddle info and heddle bench: the JSON holds what the text shows.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/command.hpp"

namespace heddle::test {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::string& arguments) {
  const CommandResult result = run_heddle(arguments + " --json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return Json::parse(result.out, nullptr, false);
}

TEST(Info, JsonAndText) {
  const Json json = json_of("info");
  for (const char* key : {"build_id", "version", "compiler", "device", "backend", "kernels", "cores", "memory",
                          "limits", "fence", "built_in"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["backend"], "cpu");
  EXPECT_EQ(json["built_in"]["cpu"], true);
  EXPECT_EQ(json["built_in"]["cuda"], HEDDLE_HAS_CUDA != 0) << "whether or not a device can be opened";
  EXPECT_GT(json["memory"]["total"], 0);
  EXPECT_GT(json["workers"], 0);
  const CommandResult text = run_heddle("info");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find(json["build_id"].get<std::string>()), std::string::npos);
  for (const Json& source : {json["memory"]["source"], json["cores_source"]}) {
    EXPECT_NE(source, "");
    EXPECT_NE(text.out.find(source.get<std::string>()), std::string::npos) << "where a size comes from: " << source;
  }
}

TEST(Info, ShowsTheWorkersThatWereAskedFor) {
  const Json json = Json::parse(run_heddle("info --json", "HEDDLE_CPU_WORKERS=3").out, nullptr, false);
  EXPECT_EQ(json["workers"], 3);
  EXPECT_NE(run_heddle("info", "HEDDLE_CPU_WORKERS=3").out.find("3 workers"), std::string::npos);
}

// A program with its owner's set-user-ID bit must read no variable, because the environment is another user's.
TEST(Info, APrivilegedProgramReadsNoVariables) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give the program to another user";
#ifdef HEDDLE_SANITIZED
  GTEST_SKIP() << "the sanitizers' runtime ends a program that has another user's rights";
#endif
  const std::filesystem::path copy =
      std::filesystem::path(::testing::TempDir()) / ("heddle_setuid_" + std::to_string(::getpid()));
  std::filesystem::copy_file(HEDDLE_CLI_PATH, copy, std::filesystem::copy_options::overwrite_existing);
  ASSERT_EQ(::chown(copy.c_str(), 65534, 65534), 0);
  ASSERT_EQ(::chmod(copy.c_str(), 04755), 0);
  const auto info = [&copy](const std::string& environment) {
    return std::system((environment + " '" + copy.string() + "' info >/dev/null 2>&1").c_str());
  };
  EXPECT_NE(info("HEDDLE_STREAMS=many setpriv --no-new-privs"), 0) << "without those rights it is read, and refused";
  const int code = info("HEDDLE_STREAMS=many");
  std::filesystem::remove(copy);
  EXPECT_EQ(code, 0);
}

TEST(Info, NamesEveryCudaDevice) {
  const Json json = json_of("info");
  if (!json.contains("cuda_devices")) {
    EXPECT_TRUE(json["cannot_open"].contains("cuda")) << "and gives the reason";
    GTEST_SKIP() << "there is no CUDA device";
  }
  const CommandResult text = run_heddle("info");
  for (std::size_t index = 0; index < json["cuda_devices"].size(); ++index) {
    EXPECT_GT(json["cuda_devices"][index]["memory"], 0);
    EXPECT_NE(text.out.find("cuda:" + std::to_string(index) + " "), std::string::npos) << text.out;
    EXPECT_NE(text.out.find(json["cuda_devices"][index]["name"].get<std::string>()), std::string::npos) << text.out;
  }
}

TEST(Info, ShowsLimitsOfTheEnvironment) {
  const CommandResult result = run_heddle(
      "info --json", "HEDDLE_STREAMS=5 HEDDLE_MEMORY_LIMIT=64M HEDDLE_MEMORY_HIGH=32M HEDDLE_MEMORY_LOW=16M");
  const Json json = Json::parse(result.out, nullptr, false);
  EXPECT_EQ(json["limits"]["streams"], 5);
  EXPECT_EQ(json["memory"]["limit"], 64 << 20);
  EXPECT_EQ(json["memory"]["high"], 32 << 20);
  EXPECT_EQ(json["memory"]["low"], 16 << 20);
}

TEST(Help, IsNoError) {
  for (const char* arguments : {"--help", "stress --help", "--version"}) {
    const CommandResult result = run_heddle(arguments);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.out, "");
    EXPECT_EQ(result.err, "");
  }
}

TEST(BenchAlloc, OnADeviceItCountsTheDriversCalls) {
  const CommandResult result = run_heddle("bench alloc --device sim --threads 2 --runs 1 --seconds 0.01 --json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json rows = Json::parse(result.out)["rows"];
  ASSERT_EQ(rows.size(), 12U);
  EXPECT_EQ(rows[0]["unit"], "pairs/s");
  EXPECT_GT(rows[0]["median"], 0);
  EXPECT_EQ(rows[2]["case"], "512 B, driver calls");
  EXPECT_EQ(rows[2]["median"], 0);
}

TEST(BenchAlloc, OnADeviceOtherPatternsAreRefused) {
  const CommandResult result = run_heddle("bench alloc --device sim --pattern mix");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("allowed are the pattern same"), std::string::npos) << result.err;
}

class BenchTest : public ::testing::TestWithParam<const char*> {};

TEST_P(BenchTest, MeasuresEachCase) {
  const Json json = json_of(std::string("bench ") + GetParam() + " --runs 1 --seconds 0.01");
  EXPECT_EQ(json["bench"], GetParam());
  ASSERT_FALSE(json["rows"].empty());
  for (const Json& row : json["rows"]) {
    EXPECT_GT(row["median"], 0) << row;
    EXPECT_LE(row["min"], row["max"]) << row;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BenchTest, ::testing::Values("record", "submit", "sync-pattern"));
#ifndef HEDDLE_SANITIZED
// Thousands of 256 x 256 products, which take minutes under a sanitizer; the loop is that of sync-pattern.
INSTANTIATE_TEST_SUITE_P(Large, BenchTest, ::testing::Values("scaling", "ceiling"));
#endif

TEST(Bench, WithoutNameListsAll) { EXPECT_EQ(json_of("bench").size(), 7U); }

}  // namespace
}  // namespace heddle::test
