#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

#include "heddle_check/explorer.hpp"
#include "heddle_check/strategies/pct.hpp"

namespace heddle_check {
namespace {

constexpr std::string_view kAllowed = "exhaustive, bounded[:PREEMPTIONS], walk[:PROBABILITY], pct[:DEPTH], pos, surw";

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw std::invalid_argument(fmt::format("strategy '{}' {}; allowed: {}", text, why, kAllowed));
}

int whole_number(std::string_view text, std::string_view parameter, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(parameter.data(), parameter.data() + parameter.size(), value);
  if (error != std::errc() || end != parameter.data() + parameter.size() || value < least || value > most) {
    refuse(text, fmt::format("needs a number from {} to {} after ':'", least, most));
  }
  return value;
}

double probability(std::string_view text, std::string_view parameter) {
  double value = 0;
  const auto [end, error] = std::from_chars(parameter.data(), parameter.data() + parameter.size(), value);
  if (error != std::errc() || end != parameter.data() + parameter.size() || !(value > 0 && value <= 1)) {
    refuse(text, "needs a probability above 0 and up to 1 after ':'");
  }
  return value;
}

}  // namespace

StrategySpec parse_strategy(std::string_view text) {
  const std::size_t colon = text.find(':');
  StrategySpec spec{.name = std::string(text.substr(0, colon))};
  const bool known = spec.name == "exhaustive" || spec.name == "bounded" || spec.name == "walk" || spec.name == "pct" ||
                     spec.name == "pos" || spec.name == "surw";
  if (!known) refuse(text, "is unknown");
  if (colon == std::string_view::npos) return spec;
  const std::string_view parameter = text.substr(colon + 1);
  if (spec.name == "bounded") {
    spec.bound = whole_number(text, parameter, 0, 100);
  } else if (spec.name == "pct") {
    spec.bound = whole_number(text, parameter, 1, 20);
  } else if (spec.name == "walk") {
    spec.switch_probability = probability(text, parameter);
  } else {
    refuse(text, "has no parameter");
  }
  return spec;
}

std::string to_text(const StrategySpec& spec) {
  if (spec.name == "bounded" && spec.bound >= 0) return fmt::format("bounded:{}", spec.bound);
  if (spec.name == "pct") return fmt::format("pct:{}", spec.bound < 1 ? Pct::kDepth : spec.bound);
  if (spec.name == "walk") return fmt::format("walk:{}", spec.switch_probability);
  return spec.name;
}

}  // namespace heddle_check
