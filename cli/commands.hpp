// The commands of `heddle`. Each registers its options with CLI11 and, when it is the one asked for, sets `run`.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace heddle::cli {

// What the process returns.
inline constexpr int kExitPass = 0;
inline constexpr int kExitFail = 1;
inline constexpr int kExitBadInput = 2;

// Returns the exit code; an exception becomes one line on stderr (InvalidArgument and Unsupported: kExitBadInput,
// others: kExitFail).
using Run = std::function<int()>;

void add_info(CLI::App& app, Run& run);
void add_stress(CLI::App& app, Run& run);
void add_verify(CLI::App& app, Run& run);
void add_verify_attempt(CLI::App& app, Run& run);  // what verify runs in processes of their own; not in the help
void add_ledger(CLI::App& app, Run& run);
void add_bench(CLI::App& app, Run& run);

}  // namespace heddle::cli
