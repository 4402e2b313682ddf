#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "heddle_check/minimise/minimise.hpp"

namespace heddle_check {
namespace {

constexpr std::size_t kLine = 100;

std::string preemptions(std::uint32_t count) {
  return fmt::format("{} {}", count, count == 1 ? "preemption" : "preemptions");
}

// A C++ identifier.
std::string identifier(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// The decisions as a string literal, broken into lines at commas.
std::string literal(const DecisionList& decisions) {
  std::string_view rest;
  const std::string text = encode_runs(decisions);
  rest = text;
  std::string lines;
  while (rest.size() > kLine) {
    const std::size_t end = rest.rfind(',', kLine) + 1;
    lines += fmt::format("\"{}\"\n      ", rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return lines + fmt::format("\"{}\"", rest);
}

}  // namespace

std::string story_of(const Scenario& scenario, const Minimised& minimised) {
  std::string text =
      fmt::format("{}: {}: {}\n", scenario.name, name_of(minimised.failure.kind), minimised.failure.text);
  text +=
      fmt::format("with {} (found with {}; {}):\n", preemptions(minimised.preemptions), minimised.preemptions_before,
                  minimised.smallest ? "no execution fails in this way with fewer" : "not known to be the fewest");
  for (std::size_t i = 0; i < minimised.story.size(); ++i) text += fmt::format("  {}. {}\n", i + 1, minimised.story[i]);
  if (minimised.story.empty()) text += "  each thread continues as long as it can\n";
  text += minimised.replays_same == minimised.replays
              ? fmt::format("repeated {} times, the same each time\n", minimised.replays)
              : fmt::format("UNSTABLE: only {} of {} repetitions were the same: something escapes the checker\n",
                            minimised.replays_same, minimised.replays);
  return text;
}

std::string test_stub(const Scenario& scenario, const Minimised& minimised, const std::string& scenario_expression) {
  return fmt::format(
      "// {}\n"
      "TEST(Found, {}_{:08x}) {{\n"
      "  const heddle_check::DecisionList decisions = heddle_check::decode_runs(\n"
      "      {});\n"
      "  heddle_check::Explorer explorer;\n"
      "  const heddle_check::Replayed replayed = explorer.replay({}, decisions);\n"
      "  // Once the bug is fixed, the decisions may no longer fit: a divergence, which passes.\n"
      "  EXPECT_STRNE(name_of(replayed.failure.kind), \"{}\") << replayed.failure.text << '\\n' << replayed.trace;\n"
      "}}\n",
      minimised.failure.text, identifier(scenario.name), minimised.trace_hash >> 32, literal(minimised.decisions),
      scenario_expression, name_of(minimised.failure.kind));
}

}  // namespace heddle_check
