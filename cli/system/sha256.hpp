// SHA-256 (FIPS 180-4), for the ledger's chain and for the digest of the sources.
//
// Our own, so that the programs need no cryptographic library: nothing here is secret, and nothing is signed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heddle::cli {

// Of what was added so far. A copy goes on by itself. Thread safety: one thread.
class Sha256 {
 public:
  Sha256& add(std::string_view bytes);
  // 64 lower-case hexadecimal digits.
  std::string digest() const;

 private:
  void block(const unsigned char* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> open_{};  // the beginning of the next block
  std::uint64_t bytes_ = 0;
};

std::string sha256(std::string_view bytes);

}  // namespace heddle::cli
