#include "heddle/base/environment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "heddle/base/printable.hpp"
#include "heddle/error.hpp"

namespace heddle {
namespace {

// The variables that the library reads. A new variable is one line here.
constexpr std::array<std::string_view, 11> kKnownVariables = {
    "HEDDLE_DEVICE",     "HEDDLE_CPU_KERNELS", "HEDDLE_CPU_WORKERS", "HEDDLE_MEMORY_LIMIT",
    "HEDDLE_STREAMS",    "HEDDLE_STREAMS_MAX", "HEDDLE_WAIT",        "HEDDLE_CUDA_MATMUL",
    "HEDDLE_CUDA_PAGES", "HEDDLE_MEMORY_HIGH", "HEDDLE_MEMORY_LOW",
};

std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::uint64_t parse_count(std::string_view name, std::string_view text, std::uint64_t low, std::uint64_t high) {
  const auto value = digits(text);
  if (!value || *value < low || *value > high) {
    throw InvalidArgument(fmt::format("{} is '{}'; allowed: a whole number from {} to {}", name, text, low, high));
  }
  return *value;
}

std::uint64_t parse_bytes(std::string_view name, std::string_view text) {
  const std::size_t split = text.find_first_not_of("0123456789");
  const std::string_view unit = split == std::string_view::npos ? std::string_view() : text.substr(split);
  const auto value = digits(text.substr(0, split));
  int shift = -1;
  if (unit.empty() || unit == "B") shift = 0;
  if (unit == "K" || unit == "KiB") shift = 10;
  if (unit == "M" || unit == "MiB") shift = 20;
  if (unit == "G" || unit == "GiB") shift = 30;
  if (unit == "T" || unit == "TiB") shift = 40;
  if (!value || *value == 0 || shift < 0 || *value > (std::numeric_limits<std::uint64_t>::max() >> (shift + 1))) {
    throw InvalidArgument(fmt::format(
        "{} is '{}'; allowed: bytes as a whole number above 0, with K, M, G or T (powers of 1024)", name, text));
  }
  return *value << shift;
}

std::optional<std::string> environment_value(const char* name) {
  const char* value = ::secure_getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::optional<std::uint64_t> environment_count(const char* name, std::uint64_t low, std::uint64_t high) {
  const auto value = environment_value(name);
  if (!value) return std::nullopt;
  return parse_count(name, *value, low, high);
}

std::optional<std::uint64_t> environment_bytes(const char* name) {
  const auto value = environment_value(name);
  if (!value) return std::nullopt;
  return parse_bytes(name, *value);
}

std::string unknown_environment() {
  if (::getauxval(AT_SECURE) != 0) return "";  // then nothing is read from the environment
  constexpr std::size_t kMostShown = 8;
  constexpr std::size_t kNameMost = 64;
  std::vector<std::string> unknown;
  std::size_t count = 0;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const std::string_view name = line.substr(0, line.find('='));
    if (name.starts_with("HEDDLE_") && std::ranges::find(kKnownVariables, name) == kKnownVariables.end()) {
      if (++count <= kMostShown) unknown.push_back(printable(name, kNameMost));
    }
  }
  if (count == 0) return "";
  if (count > kMostShown) unknown.push_back(fmt::format("and {} more", count - kMostShown));
  return fmt::format("heddle: ignoring environment variables that it does not know: {}; it reads {}",
                     fmt::join(unknown, ", "), fmt::join(kKnownVariables, ", "));
}

void warn_of_unknown_environment() {
  [[maybe_unused]] static const bool once = [] {
    const std::string warning = unknown_environment();
    if (!warning.empty()) std::fprintf(stderr, "%s\n", warning.c_str());
    return true;
  }();
}

}  // namespace heddle
