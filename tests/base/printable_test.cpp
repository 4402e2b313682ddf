// Foreign text: it reaches a terminal as one line without control characters.
#include "heddle/base/printable.hpp"

#include <gtest/gtest.h>

#include <string>

namespace heddle::test {
namespace {

TEST(Printable, LeavesTextAlone) {
  for (const char* text :
       {"", "a b", "größe", "\xE2\x82\xAC 5", "\xF0\x9F\x98\x80", "back\\slash \"quoted\" 100 %s {}"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, EscapesWhatControls) {
  EXPECT_EQ(printable("a\nclean in a row: 999"), "a\\nclean in a row: 999");
  EXPECT_EQ(printable("\x1b]0;owned\x07\x1b[2J"), "\\x1b]0;owned\\x07\\x1b[2J");
  EXPECT_EQ(printable(std::string("\0\t\r\x7f", 4)), "\\x00\\t\\r\\x7f");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\u009b31m")
      << "CSI in its form of eight bits";
  EXPECT_EQ(printable("\xE2\x80\xAE"
                      "cba \xE2\x80\xA8"),
            "\\u202ecba \\u2028");
}

TEST(Printable, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(printable("bad\xff"), "bad\\xff");
  EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf") << "an overlong form";
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond U+10FFFF";
  EXPECT_EQ(printable("\xE2\x82"), "\\xe2\\x82") << "cut";
}

TEST(Printable, IsBounded) {
  EXPECT_EQ(printable("abcdef", 4), "abcd... (6 bytes)");
  EXPECT_EQ(printable("abc\xE2\x82\xAC", 4), "abc... (6 bytes)") << "never within a character";
  EXPECT_LT(printable(std::string(10'000'000, 'x')).size(), 5000U);
  EXPECT_TRUE(printable(std::string(5000, 'x') + "; allowed: y").ends_with("x; allowed: y"));
  EXPECT_EQ(printable("0123456789abcdef\xE2\x82\xAC"
                      "0123456789abcdefghi",
                      33)
                .find("\\x"),
            std::string::npos);
}

}  // namespace
}  // namespace heddle::test
