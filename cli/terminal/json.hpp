// JSON as the programs read and write it: the only place that parses or prints JSON.
//
// The input is untrusted. Its nesting is bounded before anything is built (building, copying and printing
// recurse), and an error names the type of what is there and never shows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace heddle::cli {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kNestingMost = 32;

// What does not fit; the text has one line and nothing of what was read but names and types.
class JsonError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// nullopt for what is no JSON. Throws JsonError for what is nested deeper than kNestingMost.
std::optional<Json> parse_json(std::string_view text);

// In plain ASCII, so that it controls no terminal; text that is no UTF-8 has U+FFFD in its place. `indent` below 0: in
// one line.
std::string json_text(const Json& json, int indent = -1);

// The value that `object` has under `key`. Throw JsonError that names the key and the type that is there.
const Json& json_field(const Json& object, const char* key);
std::string text_field(const Json& object, const char* key, std::size_t most = std::string::npos);
std::uint64_t count_field(const Json& object, const char* key, std::uint64_t low = 0,
                          std::uint64_t high = std::numeric_limits<std::uint64_t>::max());
double number_field(const Json& object, const char* key);
bool flag_field(const Json& object, const char* key);

}  // namespace heddle::cli
