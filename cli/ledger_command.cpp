// heddle ledger: the rounds that were verified, and how many of the last ones were clean.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "cli/ledger.hpp"
#include "cli/ledger_picture.hpp"
#include "cli/table.hpp"
#include "cli/verify.hpp"
#include "cli/whole_file.hpp"
#include "heddle/base/error.hpp"

namespace heddle::cli {
namespace {

struct Typed {
  std::optional<std::string> out, svg;
  bool json = false;
};

Json history_json(const std::string& path, const LedgerHistory& history) {
  Json json = {{"ledger", path},
               {"clean_in_a_row", clean_in_a_row(history.rounds, true)},
               {"clean_in_a_row_any_build", clean_in_a_row(history.rounds, false)},
               {"torn_lines", history.torn_lines},
               {"rounds", Json::array()}};
  for (const LedgerRound& round : history.rounds) {
    json["rounds"].push_back({{"round", round.number},
                              {"begun", round.begun},
                              {"build_id", round.build_id},
                              {"device", round.device},
                              {"result", state_name(round.outcome.state)},
                              {"executions", round.outcome.executions},
                              {"seconds", round.outcome.seconds},
                              {"reason", round.outcome.reason},
                              {"report", round.outcome.report}});
  }
  return json;
}

std::string history_text(const std::string& path, const LedgerHistory& history) {
  std::string torn;
  for (const std::size_t line : history.torn_lines) {
    torn += fmt::format("line {} was cut short when its writer died; it is skipped\n", line);
  }
  if (history.rounds.empty()) return fmt::format("no rounds yet in {}; `heddle verify` makes one\n{}", path, torn);
  Table table({"round", "begun", "build", "device", "result", "executions", "seconds"});
  std::string reasons;
  for (const LedgerRound& round : history.rounds) {
    const RoundOutcome& outcome = round.outcome;
    table.add({std::to_string(round.number), round.begun, round.build_id, round.device, state_name(outcome.state),
               std::to_string(outcome.executions), fmt::format("{:.1f}", outcome.seconds)});
    if (!outcome.reason.empty()) reasons += fmt::format("round {}: {}\n", round.number, outcome.reason);
  }
  return fmt::format("{}\n{}{}{}", path, table.text(), reasons, torn) +
         fmt::format("clean in a row: {} of build {}, {} over all builds\n", clean_in_a_row(history.rounds, true),
                     history.rounds.back().build_id, clean_in_a_row(history.rounds, false));
}

int show(const Typed& typed) {
  const std::filesystem::path folder = typed.out ? std::filesystem::path(*typed.out) : default_verify_folder();
  const std::string path = ledger_path(folder);
  if (typed.out && !std::filesystem::exists(path)) {
    throw InvalidArgument(
        fmt::format("there is no ledger at {}; allowed: an --out DIR that heddle verify wrote to", path));
  }
  const LedgerHistory history = Ledger(path).read();
  if (typed.svg) write_whole_file(*typed.svg, ledger_svg(history.rounds));
  fmt::print("{}", typed.json ? history_json(path, history).dump(2) + "\n" : history_text(path, history));
  return kExitPass;
}

}  // namespace

void add_ledger(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("ledger", "The rounds that were verified, and how many were clean in a row");
  const auto typed = std::make_shared<Typed>();
  command->add_option("--out", typed->out, "Folder that verify wrote to (its default)")->type_name("");
  command->add_option("--svg", typed->svg, "Draw the history into this file")->type_name("");
  command->add_flag("--json", typed->json, "One JSON object");
  command->callback([typed, &run] { run = [typed] { return show(*typed); }; });
}

}  // namespace heddle::cli
