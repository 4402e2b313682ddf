#include "heddle_check/decisions.hpp"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace heddle_check {
namespace {

constexpr std::uint64_t kMostDecisions = 10'000'000;
constexpr std::string_view kVersion = "hc1";
constexpr std::string_view kNoPlant = "-";

[[noreturn]] void malformed(const std::string& why) {
  throw std::invalid_argument(fmt::format(
      "the decision string is malformed: {}; copy the whole string that a failing run printed (hc1:BUILD:SCENARIO:"
      "PLANT:HASH:DECISIONS)",
      why));
}

std::uint64_t number(std::string_view text, int base, std::uint64_t most, std::string_view what) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > most) {
    malformed(fmt::format("'{}' is not a {}", text, what));
  }
  return value;
}

// Cuts off the text before `separator`; all of it if there is none.
std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

}  // namespace

std::string encode_runs(const DecisionList& decisions) {
  std::string text;
  for (std::size_t i = 0; i < decisions.size();) {
    std::size_t end = i + 1;
    while (end < decisions.size() && decisions[end] == decisions[i]) ++end;
    if (i != 0) text += ',';
    text += end - i == 1 ? fmt::format("{}", decisions[i]) : fmt::format("{}*{}", decisions[i], end - i);
    i = end;
  }
  return text;
}

DecisionList decode_runs(std::string_view text) {
  DecisionList decisions;
  if (!text.empty() && text.back() == ',') malformed("it ends in ','");
  while (!text.empty()) {
    std::string_view run = next_part(text, ',');
    const bool repeated = run.find('*') != std::string_view::npos;
    const std::string_view value = next_part(run, '*');
    const std::uint64_t count = repeated ? number(run, 10, kMostDecisions, "count") : 1;
    if (decisions.size() + count > kMostDecisions) malformed(fmt::format("more than {} decisions", kMostDecisions));
    decisions.insert(decisions.end(), count, static_cast<std::uint8_t>(number(value, 10, 255, "decision (0 to 255)")));
  }
  return decisions;
}

std::string DecisionString::text() const {
  return fmt::format("{}:{}:{}:{}:{:016x}:{}", kVersion, build_id, scenario,
                     plant.empty() ? kNoPlant : std::string_view(plant), trace_hash, encode_runs(decisions));
}

DecisionString DecisionString::parse(std::string_view text) {
  if (next_part(text, ':') != kVersion) malformed("it does not begin with 'hc1:'");
  DecisionString parsed;
  parsed.build_id = next_part(text, ':');
  parsed.scenario = next_part(text, ':');
  parsed.plant = next_part(text, ':');
  if (parsed.build_id.empty() || parsed.scenario.empty() || parsed.plant.empty()) malformed("a part is missing");
  if (parsed.plant == kNoPlant) parsed.plant.clear();
  parsed.trace_hash = number(next_part(text, ':'), 16, ~std::uint64_t{0}, "hash");
  parsed.decisions = decode_runs(text);
  return parsed;
}

}  // namespace heddle_check
