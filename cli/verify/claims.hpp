// What may be said: claims in the fixed form of a report, and what the claims of an attempt say about a pattern.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/verify/attempt.hpp"
#include "cli/verify/verify.hpp"

namespace heddle::cli {

struct Explored {
  std::string what;    // "group pool: 5 scenarios, 12345 executions, exhaustive within scope; load stress: ..."
  std::string result;  // "pass", "FAIL", "assumed" (nothing looked at it)
};

// `explored_by` of a pattern names sources ("group pool"), or scenarios by how their names begin ("group pool/hand").
Explored explored_by(const Pattern& pattern, const std::vector<Claim>& claims);

// Name and value of each part of a claim: code, scope, method, result, memory, liveness, trusts, power, not shown.
using ClaimStatement = std::vector<std::pair<std::string, std::string>>;
ClaimStatement statement_of(const RoundResult& round, const Attempt& attempt, const Claim& claim);

// The same as text, after a line "CLAIM 1.3 SOURCE: NAME".
std::string claim_text(const RoundResult& round, const Attempt& attempt, const std::string& number, const Claim& claim);

// What each of the words means, as a list.
std::string words_explained();

}  // namespace heddle::cli
