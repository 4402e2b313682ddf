// SHA-256 against the examples of FIPS 180-4 (NIST's "Secure Hash Standard" examples) and long messages.
#include "cli/system/sha256.hpp"

#include <gtest/gtest.h>

#include <string>

namespace heddle::test {
namespace {

using cli::Sha256;
using cli::sha256;

TEST(Sha256, GivesTheStandardsDigests) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(
      sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
             "nopqrstu"),
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesOfAnyLengthGiveTheSame) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i);
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const std::string message = text.substr(0, length);
    const std::size_t cut = length / 3;
    Sha256 sum;
    sum.add(message.substr(0, cut));
    const Sha256 copy = sum;
    sum.add(message.substr(cut));
    EXPECT_EQ(sum.digest(), sha256(message)) << length;
    EXPECT_EQ(copy.digest(), sha256(message.substr(0, cut))) << "a copy is independent";
  }
}

}  // namespace
}  // namespace heddle::test
