#include "cli/verify/claims.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "heddle/base/printable.hpp"

namespace heddle::cli {
namespace {

bool is_checker(const Claim& claim) { return claim.source.starts_with("group "); }

// The words without their count or bound.
std::string kind_of(const Claim& claim) { return claim.words.substr(0, claim.words.find(" (")); }

std::string found_by(const RoundResult& round) {
  std::size_t sang = 0;
  for (const Canary& canary : round.canaries) sang += canary.sang ? 1 : 0;
  return fmt::format("{} of {} planted faults of this round's canaries found", sang, round.canaries.size());
}

}  // namespace

Explored explored_by(const Pattern& pattern, const std::vector<Claim>& claims) {
  Explored explored;
  bool pass = true;
  for (const char* source : pattern.explored_by) {
    const std::string prefix =
        std::string_view(source).find('/') == std::string_view::npos ? source + std::string("/") : source;
    std::size_t count = 0;
    std::uint64_t executions = 0;
    std::vector<std::string> kinds;
    for (const Claim& claim : claims) {
      if (claim.source != source && !(claim.source + "/" + claim.name).starts_with(prefix)) continue;
      ++count;
      executions += claim.executions;
      pass = pass && claim.pass;
      if (std::find(kinds.begin(), kinds.end(), kind_of(claim)) == kinds.end()) kinds.push_back(kind_of(claim));
    }
    if (count == 0) continue;
    std::string text;
    for (const std::string& kind : kinds) text += (text.empty() ? "" : ", ") + kind;
    explored.what += fmt::format("{}{}: {} {}, {} {}, {}", explored.what.empty() ? "" : "; ", source, count,
                                 count == 1 ? "claim" : "claims", executions,
                                 std::string_view(source).starts_with("group ") ? "executions" : "items", text);
  }
  if (explored.what.empty()) return {"nothing looked at it", words::kAssumed};
  explored.result = pass ? "pass" : "FAIL";
  return explored;
}

ClaimStatement statement_of(const RoundResult& round, const Attempt& attempt, const Claim& claim) {
  const bool checker = is_checker(claim);
  return {
      {"code", checker ? fmt::format("build {}, compiled again against controlled primitives", round.build_id)
                       : fmt::format("build {}, as shipped", round.build_id)},
      {"scope", claim.scope},
      {"method", claim.method},
      {"result", claim.pass ? fmt::format("{}; {} {}, 0 violations", claim.words, claim.executions,
                                          checker ? "executions" : "items")
                            : fmt::format("VIOLATED: {}", claim.failures.empty() ? "no text" : claim.failures.front())},
      {"memory", checker ? "sequentially consistent, and whatever else the choices name"
                         : "this machine's, in the orders that happened"},
      {"liveness", "no execution hung within its limits; nothing is claimed about termination"},
      {"trusts", checker ? "the controlled primitives, the simulated device, the scenario's oracle, the compiler"
                         : "the oracle (double precision, counts), the compiler, this machine"},
      {"power", found_by(round)},
      {"not shown",
       fmt::format("{}; and the list \"not shown\" of attempt {}",
                   checker ? "other scenarios, more threads or longer runs than the scope; code outside the "
                             "primitives"
                           : "orders that this machine did not produce",
                   attempt.number)},
  };
}

std::string claim_text(const RoundResult& round, const Attempt& attempt, const std::string& number,
                       const Claim& claim) {
  std::string text = fmt::format("CLAIM {:<5} {}: {}\n", number, printable(claim.source), printable(claim.name));
  for (const auto& [name, value] : statement_of(round, attempt, claim)) {
    text += fmt::format("  {:<10}{}\n", name, value.empty() ? "not known" : printable(value));
  }
  return text + "\n";
}

std::string words_explained() {
  return fmt::format(
      "- {}: every schedule of the scenario, with every choice that its scope names, was executed.\n"
      "- {} (c <= n): every schedule with at most n preemptions was.\n"
      "- {} (n = ...): that many schedules were drawn; others exist.\n"
      "- {}: the shipped build ran under load on this machine; the schedules that happened are all that was seen.\n"
      "- {}: nothing looked at it.\n",
      words::kExhaustive, words::kBounded, words::kSampled, words::kStress, words::kAssumed);
}

}  // namespace heddle::cli
