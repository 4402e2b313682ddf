#include "cli/terminal/json.hpp"

#include <fmt/format.h>

namespace heddle::cli {
namespace {

// Whether brackets outside of strings are open more than `most` deep anywhere.
bool deeper_than(std::size_t most, std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > most) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

[[noreturn]] void misfit(const char* key, const Json& value, const char* wanted) {
  throw JsonError(fmt::format("its {} is of type {}; allowed: {}", key, value.type_name(), wanted));
}

}  // namespace

std::optional<Json> parse_json(std::string_view text) {
  if (deeper_than(kNestingMost, text)) throw JsonError(fmt::format("nested deeper than {}", kNestingMost));
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

std::string json_text(const Json& json, int indent) {
  return json.dump(indent, ' ', true, Json::error_handler_t::replace);
}

const Json& json_field(const Json& object, const char* key) {
  if (!object.is_object()) throw JsonError(fmt::format("it is of type {}; allowed: an object", object.type_name()));
  const auto found = object.find(key);
  if (found == object.end()) throw JsonError(fmt::format("it has no {}", key));
  return *found;
}

std::string text_field(const Json& object, const char* key, std::size_t most) {
  const Json& value = json_field(object, key);
  if (!value.is_string()) misfit(key, value, "a text");
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > most) {
    throw JsonError(fmt::format("its {} has {} bytes; allowed: at most {}", key, text.size(), most));
  }
  return text;
}

std::uint64_t count_field(const Json& object, const char* key, std::uint64_t low, std::uint64_t high) {
  const Json& value = json_field(object, key);
  if (value.is_number_unsigned() && value >= low && value <= high) return value.get<std::uint64_t>();
  const std::string allowed = fmt::format("a whole number; allowed: {} to {}", low, high);
  if (!value.is_number_integer())
    throw JsonError(fmt::format("its {} is of type {}, not {}", key, value.type_name(), allowed));
  throw JsonError(value.is_number_unsigned()
                      ? fmt::format("its {} is {}; allowed: {} to {}", key, value.get<std::uint64_t>(), low, high)
                      : fmt::format("its {} is {}; allowed: {} to {}", key, value.get<std::int64_t>(), low, high));
}

double number_field(const Json& object, const char* key) {
  const Json& value = json_field(object, key);
  if (!value.is_number()) misfit(key, value, "a number");
  return value.get<double>();
}

bool flag_field(const Json& object, const char* key) {
  const Json& value = json_field(object, key);
  if (!value.is_boolean()) misfit(key, value, "true or false");
  return value.get<bool>();
}

}  // namespace heddle::cli
