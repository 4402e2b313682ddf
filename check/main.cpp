// The command line `heddle-check`: list, run, replay, minimise.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <system_error>

#include "check/run.hpp"
#include "cli/system/host_memory.hpp"
#include "heddle/base/printable.hpp"
#include "heddle/version.hpp"
#include "heddle_check/campaign/portfolio.hpp"

namespace heddle::check {
namespace {

// One line on stderr. A closed stderr is not an error of its own. If host memory has no room for the line, a fixed one.
int fail(int code, std::string_view text) noexcept {
  try {
    std::fputs(fmt::format("heddle-check: {}\n", printable(text)).c_str(), stderr);
  } catch (...) {
    std::fputs("heddle-check: host memory ran out while an error was being reported\n", stderr);
  }
  return code;
}

// Why `text` is invalid; empty: it is valid. Digits only, because CLI11's own conversion reads a negative number as a
// large one.
std::string whole_number_from(std::uint64_t least, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least) return "";
  return fmt::format("'{}' is out of range; allowed: a whole number from {} to {}", text, least, UINT64_MAX);
}

int run_command_line(int argc, char** argv) {
  CLI::App app("Explores the interleavings of heddle's own code, built against controlled primitives.", "heddle-check");
  app.set_version_flag("--version", build_id());
  app.require_subcommand(0, 1);

  bool json = false;
  CLI::App* list_command = app.add_subcommand("list", "Scenarios and plants");
  list_command->add_flag("--json", json, "As JSON");

  RunOptions options;
  CLI::App* run_command =
      app.add_subcommand("run", "Explore scenarios; on a failure, exit with 1 and print how to replay it");
  run_command->add_option("scenarios", options.scenarios, "Names, as printed by `heddle-check list`");
  run_command->add_flag("--all", options.all, "Every scenario");
  run_command->add_option("--group", options.group, "Every scenario in a group");
  run_command->add_option("--strategy", options.strategy,
                          "exhaustive, bounded[:PREEMPTIONS], walk[:PROBABILITY], pct[:DEPTH], pos, surw, portfolio; "
                          "default: the scenario's own");
  run_command->add_option("--bound", options.bound, "bounded: at most this many preemptions")
      ->check(CLI::Range(0, 100));
  run_command->add_option("--seed", options.seed, "Seed of random strategies (1)")->check([](const std::string& text) {
    return whole_number_from(0, text);
  });
  run_command->add_option("--executions", options.executions, "At most this many executions per strategy")
      ->check([](const std::string& text) { return whole_number_from(1, text); });
  run_command
      ->add_option("--seconds", options.seconds,
                   "Time limit for the whole run; strategies that end early leave their time to the others")
      ->check([](const std::string& text) {
        const double seconds = std::strtod(text.c_str(), nullptr);
        return seconds > 0 && seconds <= 1e6 ? "" : "allowed: a number above 0, up to 1000000";  // no NaN
      });
  run_command->add_option("--plant", options.plant,
                          "Switch this planted fault on; without a scenario, run the one that must then fail");
  run_command
      ->add_option("--processes", options.processes,
                   "portfolio: number of parallel processes, each with its own seeds (1)")
      ->check(CLI::Range(1U, heddle_check::kMaxShards));
  run_command->add_flag("--real-threads", options.real_threads, "Use real threads instead of fibers; slow");
  run_command->add_flag("--json", options.json, "As JSON");

  std::string decisions;
  CLI::App* replay_command =
      app.add_subcommand("replay", "Repeat one execution from its decisions and print its trace");
  replay_command->add_option("decisions", decisions, "The string printed by a failing run")->required();
  replay_command->add_flag("--json", json, "As JSON");

  CLI::App* minimise_command =
      app.add_subcommand("minimise", "Shrink a failing execution; print its steps and a test that repeats it");
  minimise_command->add_option("decisions", decisions, "The string printed by a failing run")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    const int shown = app.exit(asked);
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? shown
                                                                : fail(kExitFail, "the output could not be written");
  } catch (const CLI::ParseError& error) {
    return fail(kExitBadInput, fmt::format("{}; see `heddle-check --help`", error.what()));
  }
  if (app.get_subcommands().empty()) {
    return fail(kExitBadInput, "no command is given; allowed: list, run, replay, minimise (see `heddle-check --help`)");
  }
  const int code = list_command->parsed()       ? list(json)
                   : run_command->parsed()      ? run(options, argv[0])
                   : minimise_command->parsed() ? minimise(decisions)
                                                : replay(decisions, json);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return fail(kExitFail, "the output could not be written");
  return code;
}

int guarded(int argc, char** argv) {
  try {
    return run_command_line(argc, argv);
  } catch (const std::invalid_argument& error) {
    return fail(kExitBadInput, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kExitFail, "host memory ran out; allow the process more, or request less");
  } catch (const std::exception& error) {
    return fail(kExitFail, error.what());
  } catch (...) {
    return fail(kExitFail, "an exception of unknown type ended the command");
  }
}

}  // namespace
}  // namespace heddle::check

int main(int argc, char** argv) {
  heddle::cli::end_where_host_memory_runs_out(
      "heddle-check: host memory ran out; allow the process more, or request less\n");
  return heddle::check::guarded(argc, argv);
}
