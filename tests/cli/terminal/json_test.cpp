// Foreign JSON: nesting is bounded, errors name types, and the output is ASCII.
#include "cli/terminal/json.hpp"

#include <gtest/gtest.h>

#include <string>

#include "cli/verify/check_program.hpp"
#include "cli/verify/verify.hpp"

namespace heddle::test {
namespace {

using cli::Json;
using cli::JsonError;

std::string said(const auto& action) {
  try {
    action();
  } catch (const JsonError& error) {
    return error.what();
  }
  return "nothing";
}

TEST(ParsedJson, NestingIsBounded) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(cli::parse_json(nested(cli::kNestingMost)));
  EXPECT_EQ(said([&] { cli::parse_json(nested(cli::kNestingMost + 1)); }), "nested deeper than 32");
  EXPECT_EQ(said([&] { cli::parse_json(nested(5'000'000)); }), "nested deeper than 32");
  EXPECT_EQ(said([&] { cli::parse_json(std::string(5'000'000, '{')); }), "nested deeper than 32");
  EXPECT_TRUE(cli::parse_json("[" + std::string(100, ' ') + "\"" + std::string(1000, '[') + "\\\"[\"]"));
  EXPECT_FALSE(cli::parse_json("{\"a\":"));
  EXPECT_FALSE(cli::parse_json(""));
}

TEST(ParsedJson, ErrorsNameTheType) {
  const Json object = *cli::parse_json(R"({"a":[[["secret"]]],"b":-3,"c":1.5,"d":"text"})");
  EXPECT_EQ(said([&] { cli::text_field(object, "a"); }), "its a is of type array; allowed: a text");
  EXPECT_EQ(said([&] { cli::count_field(object, "b", 1, 9); }), "its b is -3; allowed: 1 to 9");
  EXPECT_EQ(said([&] { cli::count_field(object, "c", 1, 9); }),
            "its c is of type number, not a whole number; allowed: 1 to 9");
  EXPECT_EQ(said([&] { cli::text_field(object, "d", 3); }), "its d has 4 bytes; allowed: at most 3");
  EXPECT_EQ(said([&] { cli::flag_field(object, "e"); }), "it has no e");
  EXPECT_EQ(said([&] { cli::number_field(Json(5), "e"); }), "it is of type number; allowed: an object");
}

TEST(PrintedJson, IsAsciiWhateverTheTextIs) {
  EXPECT_EQ(cli::json_text({{"a", "\xff\x1b\xC2\x9B\xC3\xA4"}}), R"({"a":"\ufffd\u001b\u009b\u00e4"})");
}

// The output of heddle-check is foreign too: --check-program may name any program.
TEST(CheckOutput, HostileResultsAreRefusedInOneLine) {
  const std::string head =
      R"({"build_id":"one","results":[{"scenario":"s","group":"pool","strategy":"pct","threads":3,)";
  const std::string tail =
      R"("points":0,"points_per_second":0,"executions_per_second":0,"depth_max":0,"wall_seconds":0,)";
  const auto parsed = [&](const std::string& rest) {
    return said([&] { cli::parse_check(head + tail + rest + "}]}"); });
  };
  const std::string whole = R"("executions":1,"exhausted":true,"choices":[],"result":"pass")";
  EXPECT_EQ(parsed(whole), "nothing");
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  EXPECT_EQ(parsed(whole + ",\"bound\":" + deep), "nested deeper than 32");
  EXPECT_NE(parsed(whole + ",\"bound\":[[5]]").find("its bound is of type array"), std::string::npos);
  EXPECT_NE(parsed(R"("executions":-1,"exhausted":true,"choices":[],"result":"pass")").find("executions"),
            std::string::npos);
  EXPECT_NE(parsed(R"("executions":1,"exhausted":true,"choices":[[]],"result":"pass")").find("type array"),
            std::string::npos);
  EXPECT_NE(parsed(R"("executions":1,"exhausted":false,"choices":[],"result":"fail","failure":{"decisions":[[[]]]})")
                .find("its decisions is of type array"),
            std::string::npos);
  EXPECT_EQ(said([] { cli::parse_check("[]"); }), "it is of type array; allowed: an object");
  EXPECT_EQ(said([] { cli::parse_check("no JSON"); }), "not JSON");
}

TEST(AttemptOutput, AClaimOfOtherTypesIsRefused) {
  for (const char* text : {"5", "[]", "{}", R"({"source":[]})", R"({"source":"s","name":null})"}) {
    EXPECT_THROW(cli::claim_from(*cli::parse_json(text)), JsonError) << text;
  }
}

}  // namespace
}  // namespace heddle::test
