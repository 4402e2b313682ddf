#include "heddle/base/printable.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace heddle {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

// The character that `text` begins with (RFC 3629: shortest form, no surrogates, at most U+10FFFF).
Character first_character(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  char32_t code = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  const bool longer_than_needed = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  if (longer_than_needed || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return {};
  return {code, bytes};
}

bool controls(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x200E || code == 0x200F ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

std::string escape_of(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  if (code == '\r') return "\\r";
  const auto value = static_cast<std::uint32_t>(code);
  return code < 0x80 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{:04x}", value);
}

struct Shown {
  std::string text;
  bool whole = true;
};

// As much of the text as fits.
Shown shown_within(std::string_view text, std::size_t most) {
  Shown shown;
  shown.text.reserve(text.size() < most ? text.size() : most);
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    std::string piece;
    if (character.bytes == 0) {
      piece = fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
    } else if (controls(character.code)) {
      piece = escape_of(character.code);
    } else {
      piece = text.substr(at, character.bytes);
    }
    if (shown.text.size() + piece.size() > most) return {std::move(shown.text), false};
    shown.text += piece;
    at += character.bytes == 0 ? 1 : character.bytes;
  }
  return shown;
}

}  // namespace

std::string printable(std::string_view text, std::size_t most) {
  Shown shown = shown_within(text, most);
  if (shown.whole) return std::move(shown.text);
  const std::size_t last = most / 16;
  std::string_view end = text.substr(text.size() - (last < text.size() ? last : text.size()));
  while (!end.empty() && (static_cast<unsigned char>(end.front()) & 0xC0U) == 0x80) end.remove_prefix(1);
  std::string cut = shown_within(text, most - last).text + fmt::format("... ({} bytes)", text.size());
  if (!end.empty()) cut += " ..." + shown_within(end, most).text;
  return cut;
}

}  // namespace heddle
