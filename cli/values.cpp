#include "cli/values.hpp"

#include <array>
#include <charconv>
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
