// The command line `heddle`: reads every option of every command, and runs nothing. One argument per line.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "cli/commands.hpp"
#include "fuzz/fuzz.hpp"
#include "heddle/error.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace heddle::cli;
  std::vector<std::string> arguments;
  for (std::string_view rest = fuzz::text_of(bytes, size); !rest.empty();) {
    arguments.emplace_back(fuzz::next_part(rest, '\n'));
  }
  std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 expects
  CLI::App app("fuzz", "heddle");
  app.require_subcommand(0, 1);
  Run run;
  for (const auto add : {add_info, add_stress, add_verify, add_verify_attempt, add_ledger, add_bench}) add(app, run);
  try {
    app.parse(arguments);
  } catch (const CLI::Error&) {  // refused, or --help
  } catch (const heddle::InvalidArgument&) {
  }
  return 0;
}
