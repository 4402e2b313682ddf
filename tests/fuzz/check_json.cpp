// The input that `heddle verify` reads from heddle-check.
#include "cli/terminal/json.hpp"
#include "cli/verify/check_program.hpp"
#include "fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace heddle::cli;
  CheckRun run;
  if (!fuzz::accepts<JsonError>([&] { run = parse_check(std::string(fuzz::text_of(bytes, size))); })) return 0;
  for (const Claim& claim : run.claims) {
    fuzz::expect(claim.pass || run.found_failure, "a claim fails, and the run found no failure");
    fuzz::expect(claim.pass || !claim.failures.empty() || claim.executions > 0, "a claim fails without a reason");
  }
  return 0;
}
