// Values that people type after options, and bytes as people read them. parse_... throw InvalidArgument naming the
// option and what is allowed.
#pragma once

#include <fmt/core.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "heddle/error.hpp"

namespace heddle::cli {

// A decimal number of seconds.
double parse_seconds(std::string_view name, std::string_view text, double low, double high);

// A decimal number with its unit, s, m or h, as in 90s or 1.5m; returns seconds. `low` and `high` are seconds.
double parse_duration(std::string_view name, std::string_view text, double low, double high);

// One of a few words.
template <class Value>
Value parse_word(std::string_view name, std::string_view text,
                 std::initializer_list<std::pair<std::string_view, Value>> words) {
  std::string allowed;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    allowed += allowed.empty() ? "" : ", ";
    allowed += word;
  }
  throw InvalidArgument(fmt::format("{} is '{}'; allowed: {}", name, text, allowed));
}

// "34.5 MiB"
std::string bytes_text(std::size_t bytes);
// "90s", "30m", "24h": the largest unit that leaves a whole number
std::string duration_text(double seconds);

}  // namespace heddle::cli
