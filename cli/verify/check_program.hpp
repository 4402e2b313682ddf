// heddle-check, as verify uses it: one run, and the claims that its JSON supports.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/verify/verify.hpp"

namespace heddle::cli {

struct CheckRun {
  std::string build_id;
  std::vector<Claim> claims;  // one a scenario
  bool found_failure = false;
};

// Runs `heddle-check run ARGUMENTS --json`. Throws Error, with what it said, when it does not end, crashes, or prints
// what is no result.
CheckRun run_check(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   double most_seconds);

// The same from what was printed. A pure function; throws JsonError for what is no result.
CheckRun parse_check(const std::string& text);

}  // namespace heddle::cli
