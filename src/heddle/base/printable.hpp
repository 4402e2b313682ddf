// Makes foreign text fit for output: one line, no terminal control, valid UTF-8.
//
// All text from files, arguments, the environment or other programs passes through here before it is printed.
// Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heddle {

inline constexpr std::size_t kPrintableMost = 4096;

// `text` with escapes (\n, \t, \x1b, \u202e) for each control character, each invalid UTF-8 byte and each character
// that reorders or breaks a line. A text longer than `most` bytes becomes its beginning, "... (N bytes) ..." and its
// end (a sixteenth of `most`), because the end of an error names the remedy.
std::string printable(std::string_view text, std::size_t most = kPrintableMost);

}  // namespace heddle
