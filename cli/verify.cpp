#include "cli/verify.hpp"

#include "cli/source_tree.hpp"

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
  claim.source = json.at("source");
  claim.name = json.at("name");
  claim.method = json.at("method");
  claim.words = json.at("words");
  claim.scope = json.at("scope");
  claim.executions = json.at("executions");
  claim.pass = json.at("result") == "pass";
  claim.failures = json.at("failures").get<std::vector<std::string>>();
  claim.figures = json.at("figures");
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
