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
#include "cli/host_memory.hpp"
#include "heddle/base/printable.hpp"
#include "heddle/version.hpp"
#include "heddle_check/campaign/portfolio.hpp"

namespace heddle::check {
namespace {

// One line on stderr, which may be closed; that is no error of its own. Where even the line has no room, a fixed one.
int fail(int code, std::string_view text) noexcept {
  try {
    std::fputs(fmt::format("heddle-check: {}\n", printable(text)).c_str(), stderr);
  } catch (...) {
    std::fputs("heddle-check: host memory ran out while an error was being reported\n", stderr);
  }
  return code;
}

// What is wrong with it; empty: nothing. Digits only: the conversion behind it takes a negative number for a large one.
std::string whole_number_from(std::uint64_t least, const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= least) return "";
  return fmt::format("'{}' is out of range; allowed is a whole number from {} to {}", text, least, UINT64_MAX);
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
      app.add_subcommand("run", "Explores scenarios; a failure exits with 1 and says how to replay it");
  run_command->add_option("scenarios", options.scenarios, "Names, as `heddle-check list` shows them");
  run_command->add_flag("--all", options.all, "Every scenario");
  run_command->add_option("--group", options.group, "Every scenario of a group");
  run_command->add_option("--strategy", options.strategy,
                          "exhaustive, bounded[:PREEMPTIONS], walk[:PROBABILITY], pct[:DEPTH], pos, surw, portfolio; "
                          "else those of each scenario");
  run_command->add_option("--bound", options.bound, "bounded: at most so many preemptions")->check(CLI::Range(0, 100));
  run_command->add_option("--seed", options.seed, "Of random strategies (1)")->check([](const std::string& text) {
    return whole_number_from(0, text);
  });
  run_command->add_option("--executions", options.executions, "At most so many for each strategy")
      ->check([](const std::string& text) { return whole_number_from(1, text); });
  run_command
      ->add_option("--seconds", options.seconds,
                   "At most so long in all; strategies that end early leave it to the others")
      ->check([](const std::string& text) {
        const double seconds = std::strtod(text.c_str(), nullptr);
        return seconds > 0 && seconds <= 1e6 ? "" : "allowed is a number above 0, to 1000000";  // no NaN
      });
  run_command->add_option("--plant", options.plant,
                          "With this planted fault; without a scenario: in the one that it makes fail");
  run_command
      ->add_option("--processes", options.processes, "portfolio: in so many processes at once, each with its seeds (1)")
      ->check(CLI::Range(1U, heddle_check::kMaxShards));
  run_command->add_flag("--real-threads", options.real_threads, "On real threads in place of fibres; slow");
  run_command->add_flag("--json", options.json, "As JSON");

  std::string decisions;
  CLI::App* replay_command = app.add_subcommand("replay", "Runs the decisions of one execution, and prints its trace");
  replay_command->add_option("decisions", decisions, "The string that a failing run printed")->required();
  replay_command->add_flag("--json", json, "As JSON");

  CLI::App* minimise_command = app.add_subcommand(
      "minimise", "Makes a failing execution small; prints what happens in it, and a test that repeats it");
  minimise_command->add_option("decisions", decisions, "The string that a failing run printed")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    const int shown = app.exit(asked);
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? shown
                                                                : fail(kExitFail, "the output could not be written");
  } catch (const CLI::ParseError& error) {
    return fail(kExitBadInput, fmt::format("{}; `heddle-check --help` lists what is allowed", error.what()));
  }
  if (app.get_subcommands().empty()) {
    return fail(kExitBadInput,
                "no command is given; allowed: list, run, replay, minimise (`heddle-check --help` says more)");
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
    return fail(kExitFail, "host memory ran out; let the process have more, or ask for less");
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
      "heddle-check: host memory ran out; let the process have more, or ask for less\n");
  return heddle::check::guarded(argc, argv);
}
