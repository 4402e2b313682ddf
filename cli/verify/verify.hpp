// The words and values of a verification round.
//
// A round checks first that it can fail (canaries), then makes three attempts, each in a process of its own. An attempt
// is a row of steps; a step ends in claims, each with the words that its method earns. Steps travel from the attempt's
// process to the round's as lines of JSON (cli/verify/attempt.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/ledger/ledger.hpp"
#include "cli/terminal/json.hpp"

namespace heddle::cli {

// What a claim may call itself, strongest first.
namespace words {
inline constexpr const char* kExhaustive = "exhaustive within scope";
inline constexpr const char* kBounded = "bounded-complete";
inline constexpr const char* kSampled = "sampled";
inline constexpr const char* kStress = "stress-observed";
inline constexpr const char* kAssumed = "assumed";
}  // namespace words

// Where a claim comes from, as patterns name it: "group pool" (the checker's) or "load handlers" (the shipped build's).
struct Claim {
  std::string source;
  std::string name;    // the scenario, or the load
  std::string method;  // "exhaustive", "pct, bound 3", "32 threads x 400 iterations"
  std::string words;   // one of `words`, with its count or bound
  std::string scope;
  std::uint64_t executions = 0;  // of the checker; iterations or handlers of a load
  bool pass = false;
  std::vector<std::string> failures;  // what went wrong, a line each
  Json figures = Json::object();
};

// Where rounds are kept unless --out names another folder: build/verify in the source tree, or heddle-verify in the
// current folder where there is none. (What is written elsewhere in the tree would change its build id.)
std::filesystem::path default_verify_folder();
std::filesystem::path ledger_path(const std::filesystem::path& folder);

Json to_json(const Claim& claim);
Claim claim_from(const Json& json);  // throws JsonError

struct AttemptResult {
  int number = 0;
  bool pass = false;
  std::vector<Claim> claims;
  std::vector<std::string> failures;  // of the attempt as a whole: how its process ended, what it was doing
  std::string void_reason;            // why it says nothing; empty: it does
  double seconds = 0;
};

struct Canary {
  std::string name;
  std::string wanted;  // what must happen
  std::string seen;    // what did
  bool sang = false;   // the planted fault was found
};

struct VerifyOptions {
  std::string device = "cpu";
  double budget_seconds = 120;
  std::filesystem::path out;
  std::filesystem::path check_program;
  std::optional<std::filesystem::path> source;  // the source tree, where there is one
  double grace_seconds = 120;                   // beyond its share, before an attempt is called hung
};

struct RoundResult {
  std::uint64_t number = 0;
  std::string build_id;
  std::string checker_build_id;  // empty: not known
  std::string source_build_id;   // empty: no source tree
  std::string ledger_digest;     // of the ledger's line with which the round began; empty: not known
  std::string device;
  double budget_seconds = 0;
  RoundState state = RoundState::kVoid;
  std::string reason;  // of a failed or void round, in one line
  std::vector<Canary> canaries;
  std::vector<AttemptResult> attempts;
  std::vector<std::string> missing_symbols;  // of the tables of patterns
  double seconds = 0;

  std::uint64_t executions() const;  // of the checker, over all attempts
};

}  // namespace heddle::cli
