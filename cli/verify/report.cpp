#include "cli/verify/report.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cli/system/whole_file.hpp"
#include "cli/verify/attempt.hpp"
#include "cli/verify/claims.hpp"
#include "heddle/base/printable.hpp"

namespace heddle::cli {
namespace {

// Text of others for Markdown: in one line, no element, no cell of a table ends in it.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    if (c == '|') result += '\\';
    if (c == '<') {
      result += "&lt;";
    } else {
      result += c;
    }
  }
  return result;
}

// For a cell of a table.
std::string cell(std::string_view text) { return text.empty() ? "-" : plain(text); }

std::string or_unknown(const std::string& id) { return id.empty() ? "not known" : id; }

const AttemptResult* find(const RoundResult& result, int number) {
  for (const AttemptResult& attempt : result.attempts) {
    if (attempt.number == number) return &attempt;
  }
  return nullptr;
}

std::string list(const std::vector<const char*>& items) {
  std::string text;
  for (const char* item : items) text += fmt::format("- {}\n", item);
  return text;
}

std::string patterns_table(const Attempt& attempt, const AttemptResult& seen, bool symbols_checked) {
  std::string text = fmt::format("| pattern | where in the code{} | what was explored | result |\n|---|---|---|---|\n",
                                 symbols_checked ? " (found in the source tree)" : " (no source tree: not looked up)");
  for (const Pattern& pattern : attempt.patterns) {
    const Explored explored = explored_by(pattern, seen.claims);
    text += fmt::format("| {} | `{}`: `{}` | {} | {} |\n", pattern.pattern, pattern.file, pattern.symbol,
                        cell(explored.what), explored.result);
  }
  return text;
}

std::string figures_table(const AttemptResult& attempt) {
  std::string text = "| claim | result | words | executions | figures |\n|---|---|---|---|---|\n";
  for (const Claim& claim : attempt.claims) {
    std::string figures;
    for (const auto& [name, value] : claim.figures.items()) {
      const std::string shown = value.is_number_float() ? fmt::format("{:.6g}", value.get<double>()) : json_text(value);
      figures += fmt::format("{}{} {}", figures.empty() ? "" : "; ", name, shown);
    }
    text += fmt::format("| {}: {} | {} | {} | {} | {} |\n", plain(claim.source), cell(claim.name),
                        claim.pass ? "pass" : "FAIL", plain(claim.words), claim.executions, cell(figures));
  }
  return text;
}

// A decision string as the command that replays it; what else is told as it is.
std::string as_command(const std::string& failure) {
  constexpr std::string_view kDecisions = "decisions: ";
  if (!failure.starts_with(kDecisions)) return failure;
  return fmt::format("`heddle-check replay '{}'`", failure.substr(kDecisions.size()));
}

// The claims that failed, and where all of them are: a page is read as a whole only if it is short.
std::string claims_section(const RoundResult& result, const Attempt& attempt, const AttemptResult& seen) {
  std::string failed;
  std::size_t number = 0;
  for (const Claim& claim : seen.claims) {
    ++number;
    if (!claim.pass) failed += claim_text(result, attempt, fmt::format("{}.{}", attempt.number, number), claim);
  }
  std::string text =
      fmt::format("\n### Claims\n\n{}.json has all {} claims with scope, method and what each rests on.\n",
                  report_stem(result.number), seen.claims.size());
  if (!failed.empty()) text += "These failed:\n\n```\n" + failed + "```\n";
  return text;
}

std::string attempt_section(const RoundResult& result, const Attempt& attempt) {
  const AttemptResult* seen = find(result, attempt.number);
  std::string text = fmt::format("\n## Attempt {}: {}\n\n", attempt.number, attempt.title);
  if (seen == nullptr) return text + "Not made: the round was void before it.\n";
  text +=
      fmt::format("Result: **{}**, in {:.1f} s.\n\n", seen->pass ? "no fault found in scope" : "FAILED", seen->seconds);
  for (const std::string& failure : seen->failures) text += fmt::format("- {}\n", plain(failure));
  for (const Claim& claim : seen->claims) {
    for (const std::string& failure : claim.failures) {
      text += fmt::format("- {}: {}: {}\n", plain(claim.source), plain(claim.name), plain(as_command(failure)));
    }
  }
  text += "\n### Methods\n\n" + list(attempt.methods);
  text += "\n### Patterns\n\n" + patterns_table(attempt, *seen, !result.source_build_id.empty());
  text += "\n### Figures\n\n" + figures_table(*seen);
  return text + claims_section(result, attempt, *seen) + "\n### Not shown\n\n" + list(attempt.not_shown);
}

}  // namespace

Json round_json(const RoundResult& result, std::size_t clean) {
  Json json = {{"round", result.number},
               {"result", state_name(result.state)},
               {"reason", result.reason},
               {"clean_in_a_row", clean},
               {"build_id", result.build_id},
               {"checker_build_id", result.checker_build_id},
               {"source_build_id", result.source_build_id},
               {"ledger_digest", result.ledger_digest},
               {"device", result.device},
               {"budget_seconds", result.budget_seconds},
               {"seconds", result.seconds},
               {"executions", result.executions()},
               {"canaries", Json::array()},
               {"attempts", Json::array()}};
  for (const Canary& canary : result.canaries) {
    json["canaries"].push_back(
        {{"name", canary.name}, {"wanted", canary.wanted}, {"seen", canary.seen}, {"found", canary.sang}});
  }
  for (const Attempt& attempt : attempts()) {
    const AttemptResult* seen = find(result, attempt.number);
    if (seen == nullptr) continue;
    Json one = {{"attempt", attempt.number},     {"title", attempt.title},    {"result", seen->pass ? "pass" : "fail"},
                {"failures", seen->failures},    {"void", seen->void_reason}, {"seconds", seen->seconds},
                {"methods", attempt.methods},    {"patterns", Json::array()}, {"claims", Json::array()},
                {"not_shown", attempt.not_shown}};
    for (const Pattern& pattern : attempt.patterns) {
      const Explored explored = explored_by(pattern, seen->claims);
      one["patterns"].push_back({{"pattern", pattern.pattern},
                                 {"file", pattern.file},
                                 {"symbol", pattern.symbol},
                                 {"explored", explored.what},
                                 {"result", explored.result}});
    }
    for (const Claim& claim : seen->claims) {
      Json full = to_json(claim);
      for (const auto& [name, value] : statement_of(result, attempt, claim)) full["statement"][name] = value;
      one["claims"].push_back(std::move(full));
    }
    json["attempts"].push_back(one);
  }
  return json;
}

std::string round_markdown(const RoundResult& result, std::size_t clean) {
  std::string text = fmt::format("# Verification round {}: {}\n\n", result.number, state_name(result.state));
  if (!result.reason.empty()) text += plain(result.reason) + "\n\n";
  text += "| | |\n|---|---|\n";
  text += fmt::format("| build | `{}` |\n| heddle-check | `{}` |\n| source tree | `{}` |\n", result.build_id,
                      plain(or_unknown(result.checker_build_id)), or_unknown(result.source_build_id));
  text += fmt::format("| line of the ledger | `{}` |\n", or_unknown(result.ledger_digest));
  text += fmt::format("| device | {} |\n| budget, spent | {:.0f} s, {:.1f} s |\n", plain(result.device),
                      result.budget_seconds, result.seconds);
  text += fmt::format("| executions of the checker | {} |\n| clean rounds in a row of this build | {} |\n",
                      result.executions(), clean);
  text += "\n## Canaries\n\nEach is a planted fault. A round in which one is not found says nothing.\n\n";
  text += "| canary | wanted | seen | found |\n|---|---|---|---|\n";
  for (const Canary& canary : result.canaries) {
    text += fmt::format("| {} | {} | {} | {} |\n", cell(canary.name), canary.wanted, cell(canary.seen),
                        canary.sang ? "yes" : "NO");
  }
  for (const Attempt& attempt : attempts()) text += attempt_section(result, attempt);
  return text + "\n## Words\n\n" + words_explained();
}

void write_reports(const std::filesystem::path& folder, const RoundResult& result, std::size_t clean) {
  const std::string stem = report_stem(result.number);
  write_whole_file(folder / (stem + ".json"), json_text(round_json(result, clean), 2) + "\n");
  write_whole_file(folder / (stem + ".md"), round_markdown(result, clean));
}

}  // namespace heddle::cli
