// What may be said: claims in the fixed form of a report, and what the claims of an attempt say about a pattern.
#pragma once

#include <string>
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

// CLAIM 1.3 with code, scope, method, memory, trusts, power, not shown.
std::string claim_text(const RoundResult& round, const Attempt& attempt, const std::string& number, const Claim& claim);

// What each of the words means, as a list.
std::string words_explained();

}  // namespace heddle::cli
