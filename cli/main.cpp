// The command line `heddle`: info, stress, verify, ledger, bench.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/system/host_memory.hpp"
#include "heddle/base/printable.hpp"
#include "heddle/heddle.hpp"
#include "heddle/sync/thread.hpp"

namespace heddle::cli {
namespace {

// One line on stderr, which may be closed; that is no error of its own. Where even the line has no room, a fixed one.
int fail(int code, std::string_view text) noexcept {
  try {
    std::fputs(fmt::format("heddle: {}\n", printable(text)).c_str(), stderr);
  } catch (...) {
    std::fputs("heddle: host memory ran out while an error was being reported\n", stderr);
  }
  return code;
}

// The name of the command that was being read, for the hint after a mistyped option.
std::string chosen(const CLI::App& app) {
  const auto used = app.get_subcommands();
  return used.empty() ? std::string("heddle") : "heddle " + used.front()->get_name();
}

int run_command_line(int argc, char** argv) {
  CLI::App app("Heddle: independent streams of tensor operations, one a thread.", "heddle");
  app.set_version_flag("--version", build_id());
  app.require_subcommand(0, 1);
  Run run;
  add_info(app, run);
  add_stress(app, run);
  add_verify(app, run);
  add_verify_attempt(app, run);
  add_ledger(app, run);
  add_bench(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    const int shown = app.exit(asked);
    return std::fflush(stdout) == 0 && std::ferror(stdout) == 0 ? shown
                                                                : fail(kExitFail, "the output could not be written");
  } catch (const CLI::ParseError& error) {
    return fail(kExitBadInput, fmt::format("{}; `{} --help` lists what is allowed", error.what(), chosen(app)));
  }
  if (!run) {
    return fail(kExitBadInput,
                "no command is given; allowed: info, stress, verify, ledger, bench (`heddle --help` says more)");
  }
  const int code = run();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return fail(kExitFail, "the output could not be written");
  return code;
}

int guarded(int argc, char** argv) {
  try {
    return run_command_line(argc, argv);
  } catch (const InvalidArgument& error) {
    return fail(kExitBadInput, error.what());
  } catch (const sync::ThreadNotStarted& error) {  // the machine's state, not what was asked for
    return fail(kExitFail, error.what());
  } catch (const Unsupported& error) {  // what this build lacks, such as a device, is not to be asked for
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
}  // namespace heddle::cli

int main(int argc, char** argv) {
  heddle::cli::end_where_host_memory_runs_out(
      "heddle: host memory ran out; let the process have more, or ask for less\n");
  return heddle::cli::guarded(argc, argv);
}
