// heddle ledger: the rounds that were verified, and how many of the last ones were clean.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "cli/ledger/ledger.hpp"
#include "cli/ledger/picture.hpp"
#include "cli/system/plain_file.hpp"
#include "cli/system/whole_file.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verify/verify.hpp"
#include "heddle/base/printable.hpp"
#include "heddle/error.hpp"

namespace heddle::cli {
namespace {

struct Typed {
  std::optional<std::string> out, svg;
  bool json = false;
};

constexpr std::size_t kShownFlaws = 10;

Json history_json(const std::string& path, const LedgerHistory& history) {
  Json json = {{"ledger", path},
               {"clean_in_a_row", clean_in_a_row(history, true)},
               {"clean_in_a_row_any_build", clean_in_a_row(history, false)},
               {"torn_lines", history.torn_lines},
               {"unchained_lines", history.unchained_lines},
               {"flaws", Json::array()},
               {"rounds", Json::array()}};
  for (const LedgerFlaw& flaw : history.flaws) json["flaws"].push_back({{"line", flaw.line}, {"text", flaw.text}});
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

// What is to be said of the ledger itself.
std::string remarks(const LedgerHistory& history) {
  std::string text;
  for (const std::size_t line : history.torn_lines) {
    text += fmt::format("line {} was cut short when its writer died; it is skipped\n", line);
  }
  if (history.unchained_lines > 0) {
    text +=
        fmt::format("not chained: the first {} lines, written before lines carried digests\n", history.unchained_lines);
  }
  for (std::size_t i = 0; i < history.flaws.size() && i < kShownFlaws; ++i) {
    text += fmt::format("FLAW: {}\n", history.flaws[i].text);
  }
  if (history.flaws.size() > kShownFlaws)
    text += fmt::format("and {} more flaws\n", history.flaws.size() - kShownFlaws);
  if (!history.flaws.empty()) text += "rounds before the last flaw do not count\n";
  return text;
}

std::string history_text(const std::string& path, const LedgerHistory& history) {
  if (history.rounds.empty()) {
    return fmt::format("no rounds yet in {}; `heddle verify` makes one\n{}", printable(path), remarks(history));
  }
  Table table({"round", "begun", "build", "device", "result", "executions", "seconds"});
  std::string reasons;
  for (const LedgerRound& round : history.rounds) {
    const RoundOutcome& outcome = round.outcome;
    table.add({std::to_string(round.number), round.begun, round.build_id, round.device, state_name(outcome.state),
               std::to_string(outcome.executions), fmt::format("{:.1f}", outcome.seconds)});
    if (!outcome.reason.empty()) reasons += fmt::format("round {}: {}\n", round.number, printable(outcome.reason));
  }
  return fmt::format("{}\n{}{}{}", printable(path), table.text(), reasons, remarks(history)) +
         fmt::format("clean in a row: {} of build {}, {} over all builds\n", clean_in_a_row(history, true),
                     printable(history.rounds.back().build_id), clean_in_a_row(history, false));
}

void draw(const std::string& path, const LedgerHistory& history) {
  try {
    write_whole_file(path, ledger_svg(history));
  } catch (const PathRefused& refused) {
    throw InvalidArgument(fmt::format("--svg: {}", refused.what()));
  }
}

int show(const Typed& typed) {
  const std::filesystem::path folder = typed.out ? std::filesystem::path(*typed.out) : default_verify_folder();
  const std::string path = ledger_path(folder);
  std::error_code unknown;
  if (typed.out && !std::filesystem::exists(std::filesystem::symlink_status(path, unknown))) {
    throw InvalidArgument(fmt::format(
        "there is no ledger at {}{}; allowed: an --out DIR that heddle verify wrote to", path,
        is_path_error(unknown.value()) && unknown.value() != ENOENT ? fmt::format(" ({})", unknown.message())
                                                                    : std::string()));
  }
  const LedgerHistory history = Ledger(path).read();
  if (typed.svg) draw(*typed.svg, history);
  fmt::print("{}", typed.json ? json_text(history_json(path, history), 2) + "\n" : history_text(path, history));
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
