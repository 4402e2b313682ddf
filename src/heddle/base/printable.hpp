// Text of others made fit to be shown: one line, no control of the terminal, valid UTF-8.
//
// Whatever comes from a file, an argument, the environment or another program goes through here before it is printed.
// Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heddle {

inline constexpr std::size_t kPrintableMost = 4096;

// `text` with each control character, each invalid UTF-8 byte and each character that reorders or breaks a line written
// as an escape: \n, \t, \x1b, \u202e. Longer than `most` bytes: its beginning, "... (N bytes) ..." and its
// last sixteenth of `most`, as an error ends with what to do.
std::string printable(std::string_view text, std::size_t most = kPrintableMost);

}  // namespace heddle
