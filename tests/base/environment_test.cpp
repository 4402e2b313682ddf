#include "heddle/base/environment.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "heddle/base/pool_limits.hpp"
#include "heddle/error.hpp"
#include "heddle/limits.hpp"

namespace heddle {
namespace {

TEST(ParseCount, AcceptsTheRangeOnly) {
  EXPECT_EQ(parse_count("x", "1", 1, 9), 1u);
  EXPECT_EQ(parse_count("x", "9", 1, 9), 9u);
  for (const char* bad : {"", "0", "10", "-1", "1.5", "2 ", " 2", "2x", "99999999999999999999999"}) {
    EXPECT_THROW(parse_count("x", bad, 1, 9), InvalidArgument) << "'" << bad << "'";
  }
}

TEST(ParseBytes, UnderstandsPowersOf1024) {
  EXPECT_EQ(parse_bytes("x", "17"), 17u);
  EXPECT_EQ(parse_bytes("x", "4K"), 4096u);
  EXPECT_EQ(parse_bytes("x", "3MiB"), 3u << 20);
  EXPECT_EQ(parse_bytes("x", "2G"), std::uint64_t{2} << 30);
  for (const char* bad : {"", "0", "K", "-4K", "1.5G", "4KB", "4 K", "16777216T"}) {
    EXPECT_THROW(parse_bytes("x", bad), InvalidArgument) << "'" << bad << "'";
  }
}

TEST(ParseBytes, NamesWhatIsWrongAndWhatIsAllowed) {
  try {
    parse_bytes("HEDDLE_MEMORY_LIMIT", "lots");
    FAIL();
  } catch (const InvalidArgument& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("HEDDLE_MEMORY_LIMIT is 'lots'"), std::string::npos) << text;
    EXPECT_NE(text.find("allowed"), std::string::npos) << text;
  }
}

TEST(Environment, UnknownVariablesAreNamedInOneLine) {
  EXPECT_EQ(unknown_environment(), "");
  ::setenv("HEDDLE_DEVICES", "cpu", 1);
  ::setenv("HEDDLE_SERVICE_HOST", "10.0.0.1", 1);
  const std::string warning = unknown_environment();
  ::unsetenv("HEDDLE_DEVICES");
  ::unsetenv("HEDDLE_SERVICE_HOST");
  EXPECT_NE(warning.find("HEDDLE_DEVICES"), std::string::npos) << warning;
  EXPECT_NE(warning.find("HEDDLE_SERVICE_HOST"), std::string::npos) << warning;
  EXPECT_NE(warning.find("it reads HEDDLE_DEVICE,"), std::string::npos) << warning;
  EXPECT_EQ(warning.find('\n'), std::string::npos) << warning;
  EXPECT_EQ(unknown_environment(), "");
}

TEST(Environment, ManyOrHostileNamesMakeOneShortLine) {
  const auto name = [](int i) { return "HEDDLE_\x1b[2J\n" + std::to_string(i) + std::string(5000, 'A'); };
  for (int i = 0; i < 40; ++i) ::setenv(name(i).c_str(), "1", 1);
  const std::string warning = unknown_environment();
  for (int i = 0; i < 40; ++i) ::unsetenv(name(i).c_str());
  EXPECT_LT(warning.size(), 2000u);
  EXPECT_EQ(warning.find_first_of("\x1b\n"), std::string::npos) << warning;
  EXPECT_NE(warning.find("and 32 more; it reads"), std::string::npos) << warning;
}

TEST(Limits, DefaultsAreValidAndEachBoundIsChecked) {
  EXPECT_NO_THROW(PoolLimits().validate());
  PoolLimits limits;
  limits.streams = 0;
  EXPECT_THROW(limits.validate(), InvalidArgument);
  limits = {};
  limits.streams_max = 31;  // below streams
  EXPECT_THROW(limits.validate(), InvalidArgument);
  limits = {};
  limits.committed_lists_max = 0;
  EXPECT_THROW(limits.validate(), InvalidArgument);
}

}  // namespace
}  // namespace heddle
