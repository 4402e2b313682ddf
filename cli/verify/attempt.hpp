// The three attempts of a round: what each runs, and the line of JSON by line of JSON in which it tells.
//
// `heddle verify-attempt N` (not listed in the help) runs one and prints, a line each,
//   {"doing": "group pool"}            before each step
//   {"claim": {...}}                   after it
//   {"void": "..."}                    when what was run is not what is to be verified
//   {"end": true}                      when all steps are done
// so that the process that reads it knows, after a crash or a hang, what was done and what was under way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/verify/verify.hpp"

namespace heddle::cli {

class AttemptRun;

// A load that the shipped build is put under. It adds its claims to the run.
using Load = void (*)(AttemptRun& run);

// Where in the code a kind of fault would be.
struct Pattern {
  const char* pattern;
  const char* file;
  const char* symbol;
  std::vector<const char*> explored_by;  // sources of claims; none: assumed
};

struct Attempt {
  int number;
  const char* title;
  std::vector<const char*> groups;  // of the checker
  Load load;
  std::vector<const char*> methods;  // in words
  std::vector<Pattern> patterns;
  std::vector<const char*> not_shown;
};

const std::vector<Attempt>& attempts();
const Attempt& attempt_memory();
const Attempt& attempt_handlers();
const Attempt& attempt_concurrency();

struct AttemptOptions {
  std::string device;
  double seconds = 0;  // its share of the budget
  std::uint64_t seed = 0;
  std::filesystem::path check_program;
  bool inject = false;  // of the canaries: only the load, with a planted fault that it must find
};

// One attempt under way, in its own process. Thread safety: one thread.
class AttemptRun {
 public:
  explicit AttemptRun(const AttemptOptions& options) : options_(options) {}

  const AttemptOptions& options() const noexcept { return options_; }
  // Seconds that the load may take.
  double load_seconds() const noexcept;
  // Runs `step`, which fills the claim; an exception fails it. Prints both lines.
  void step(const std::string& source, const std::string& name, const std::function<void(Claim&)>& step);
  // Runs the scenarios of one group of the checker, of `groups` that share the time.
  void check_group(const std::string& group, std::size_t groups);
  bool failed() const noexcept { return failed_; }

 private:
  const AttemptOptions options_;
  bool failed_ = false;
};

// In the attempt's process: all steps; the exit code.
int run_attempt(const Attempt& attempt, const AttemptOptions& options);

}  // namespace heddle::cli
