#include "cli/terminal/option_values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "heddle/base/environment.hpp"

namespace heddle::cli {

double parse_seconds(std::string_view name, std::string_view text, double low, double high) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= low && value <= high)) {
    throw InvalidArgument(fmt::format("{} is '{}'; allowed: seconds from {} to {}", name, text, low, high));
  }
  return value;
}

double parse_duration(std::string_view name, std::string_view text, double low, double high) {
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
  const std::string_view unit = error == std::errc() ? std::string_view(end, static_cast<std::size_t>(last - end)) : "";
  const double factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  const double seconds = value * factor;
  if (factor == 0 || !(seconds >= low && seconds <= high)) {
    throw InvalidArgument(fmt::format("{} is '{}'; allowed: a number with s, m or h, from {} to {}", name, text,
                                      duration_text(low), duration_text(high)));
  }
  return seconds;
}

std::string duration_text(double seconds) {
  if (std::fmod(seconds, 3600) == 0) return fmt::format("{}h", seconds / 3600);
  if (std::fmod(seconds, 60) == 0) return fmt::format("{}m", seconds / 60);
  return fmt::format("{}s", seconds);
}

std::string bytes_text(std::size_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  auto value = static_cast<double>(bytes);
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace heddle::cli
