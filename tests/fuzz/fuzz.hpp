// Shared by the fuzz targets. A target passes arbitrary bytes to one parser, as shipped, and checks the parser's
// promises: one kind of exception for rejected input, and the same value again for accepted input.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

namespace fuzz {

inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: %s\n", what);
  std::abort();
}

// Runs `parse`. A rejection must be a `Refusal` with a text of one line and bounded length; any other exception
// propagates, and ends the run as a crash. True: the input was accepted.
template <class Refusal, class Parse>
bool accepts(const Parse& parse) {
  constexpr std::size_t kMostText = 8192;
  try {
    parse();
    return true;
  } catch (const Refusal& refusal) {
    const std::string_view text = refusal.what();
    expect(!text.empty(), "a refusal has no text");
    expect(text.size() < kMostText, "a refusal repeats its input at length");
    return false;
  }
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Removes the text before the next `separator` from `rest`, and returns it.
inline std::string_view next_part(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return part;
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);
