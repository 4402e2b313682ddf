#include "cli/verify/verify.hpp"

#include <fmt/core.h>

#include "cli/verify/source_tree.hpp"

namespace heddle::cli {

std::filesystem::path default_verify_folder() {
  const auto tree = find_source_tree(own_program().parent_path());
  return tree ? *tree / "build" / "verify" : std::filesystem::path("heddle-verify");
}

std::filesystem::path ledger_path(const std::filesystem::path& folder) { return folder / "ledger.jsonl"; }

Json to_json(const Claim& claim) {
  return {{"source", claim.source},
          {"name", claim.name},
          {"method", claim.method},
          {"words", claim.words},
          {"scope", claim.scope},
          {"executions", claim.executions},
          {"result", claim.pass ? "pass" : "fail"},
          {"failures", claim.failures},
          {"figures", claim.figures}};
}

Claim claim_from(const Json& json) {
  Claim claim;
  claim.source = text_field(json, "source");
  claim.name = text_field(json, "name");
  claim.method = text_field(json, "method");
  claim.words = text_field(json, "words");
  claim.scope = text_field(json, "scope");
  claim.executions = count_field(json, "executions");
  claim.pass = text_field(json, "result") == "pass";
  for (const Json& failure : json_field(json, "failures")) {
    if (!failure.is_string()) throw JsonError(fmt::format("its failures hold one of type {}", failure.type_name()));
    claim.failures.push_back(failure);
  }
  claim.figures = json_field(json, "figures");
  return claim;
}

std::uint64_t RoundResult::executions() const {
  std::uint64_t sum = 0;
  for (const AttemptResult& attempt : attempts) {
    for (const Claim& claim : attempt.claims) {
      if (claim.source.starts_with("group ")) sum += claim.executions;
    }
  }
  return sum;
}

}  // namespace heddle::cli
