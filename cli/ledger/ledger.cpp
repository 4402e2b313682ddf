#include "cli/ledger/ledger.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/ledger/file.hpp"
#include "cli/ledger/lines.hpp"
#include "heddle/error.hpp"

namespace heddle::cli {
namespace {

using Access = LedgerFile::Access;

constexpr std::uint64_t kAppendLock = 0;
constexpr std::string_view kReportPrefix = "round-";

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

std::filesystem::path folder_of(const std::string& ledger) { return std::filesystem::path(ledger).parent_path(); }

bool has_round(const LedgerHistory& history, std::uint64_t number) {
  return std::any_of(history.rounds.begin(), history.rounds.end(),
                     [number](const LedgerRound& round) { return round.number == number; });
}

bool has_report(const std::filesystem::path& folder, std::uint64_t number) {
  std::error_code unknown;
  for (const char* ending : {".md", ".json"}) {
    if (std::filesystem::is_regular_file(folder / (report_stem(number) + ending), unknown)) return true;
  }
  return false;
}

// 0: the file is no report.
std::uint64_t round_of_report(const std::filesystem::path& file) {
  const std::string stem = file.stem();
  const std::string ending = file.extension();
  if (!stem.starts_with(kReportPrefix) || (ending != ".md" && ending != ".json")) return 0;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(stem.data() + kReportPrefix.size(), stem.data() + stem.size(), number);
  const bool whole = error == std::errc() && end == stem.data() + stem.size();
  return whole && number <= kMostRounds && report_stem(number) == stem ? number : 0;
}

std::string bounded(const std::string& text, std::size_t most) { return text.substr(0, most); }

}  // namespace

const char* state_name(RoundState state) {
  switch (state) {
    case RoundState::kClean: return "clean";
    case RoundState::kFailed: return "failed";
    case RoundState::kVoid: return "void";
    case RoundState::kRunning: return "running";
    case RoundState::kUnfinished: break;
  }
  return "unfinished";
}

std::uint64_t LedgerHistory::last_number() const noexcept {
  std::uint64_t last = 0;
  for (const LedgerRound& round : rounds) last = std::max(last, round.number);
  return last;
}

std::size_t clean_in_a_row(const LedgerHistory& history, bool of_one_build) {
  std::size_t count = 0;
  const std::string* build = nullptr;
  for (std::size_t i = history.rounds.size(); i > history.counted_from; --i) {
    const LedgerRound& round = history.rounds[i - 1];
    if (round.outcome.state == RoundState::kRunning) continue;
    if (round.outcome.state != RoundState::kClean) break;
    if (build == nullptr) build = &round.build_id;
    if (of_one_build && round.build_id != *build) break;
    ++count;
  }
  return count;
}

std::string report_stem(std::uint64_t round) { return fmt::format("{}{:04}", kReportPrefix, round); }

std::uint64_t newest_report(const std::string& folder) {
  std::uint64_t newest = 0;
  std::error_code error;  // a folder that cannot be read shows where the ledger is opened
  std::filesystem::directory_iterator file(folder.empty() ? "." : folder, error);
  for (; !error && file != std::filesystem::directory_iterator(); file.increment(error)) {
    std::error_code unknown;
    const std::uint64_t number = round_of_report(file->path().filename());
    if (number > newest && std::filesystem::is_regular_file(file->symlink_status(unknown))) newest = number;
  }
  return newest;
}

RoundClaim::~RoundClaim() {
  if (file_ >= 0) ::close(file_);
}

RoundClaim::RoundClaim(RoundClaim&& other) noexcept
    : file_(std::exchange(other.file_, -1)), number_(other.number_), digest_(std::move(other.digest_)) {}

LedgerHistory Ledger::read() const {
  const std::uint64_t newest = newest_report(folder_of(path_));  // before the ledger: a round begins there first
  const LedgerFile file(path_, Access::kRead);
  LedgerHistory history = parse_ledger(file.read(), path_);
  for (LedgerRound& round : history.rounds) {
    if (round.outcome.state == RoundState::kUnfinished && file.locked_by_others(round.number)) {
      round.outcome.state = RoundState::kRunning;
    }
  }
  if (const std::uint64_t last = history.last_number(); newest > last) {
    history.flaws.push_back(
        {0, fmt::format("there is a report of round {}, and the ledger ends at round {}: its end is "
                        "lost, or the report is of another ledger and to be moved away",
                        newest, last)});
    history.counted_from = history.rounds.size();
  }
  return history;
}

RoundClaim Ledger::begin(std::optional<std::uint64_t> number, const std::string& build_id,
                         const std::string& device) const {
  LedgerFile file(path_, Access::kWrite);
  file.lock(kAppendLock);
  const std::string text = file.read();
  const ReadLedger read = read_ledger(text, path_);
  const std::uint64_t last = std::max(read.history.last_number(), newest_report(folder_of(path_)));
  if (number && (has_round(read.history, *number) || has_report(folder_of(path_), *number))) {
    throw InvalidArgument(
        fmt::format("round {} is in the ledger {} already, or has a report beside it; allowed: a number that is not, "
                    "such as {}, or "
                    "none, which takes the next",
                    *number, path_, last + 1));
  }
  const std::uint64_t taken = number.value_or(last + 1);
  if (taken > kMostRounds) {
    throw InvalidArgument(
        fmt::format("the ledger {} has round {}, the last that there can be; begin another ledger", path_, last));
  }
  LedgerFile claim(path_, Access::kWrite);
  if (!claim.try_lock(taken))
    throw Error(ErrorKind::kTimeout, fmt::format("round {} is locked by another process", taken));
  NewLine line = next_line(read.end, {{"event", "begin"},
                                      {"round", taken},
                                      {"build_id", bounded(build_id, kIdMost)},
                                      {"device", bounded(device, kIdMost)},
                                      {"time", utc_now()}});
  file.append(line.text);
  return {claim.release(), taken, std::move(line.digest)};
}

void Ledger::end(const RoundClaim& claim, const RoundOutcome& outcome) const {
  LedgerFile file(path_, Access::kWrite);
  file.lock(kAppendLock);
  const std::string text = file.read();
  const ReadLedger read = read_ledger(text, path_);
  const auto round = std::find_if(read.history.rounds.rbegin(), read.history.rounds.rend(),
                                  [&claim](const LedgerRound& one) { return one.number == claim.number(); });
  if (round == read.history.rounds.rend()) {
    throw Error(ErrorKind::kInvalidArgument,
                fmt::format("the ledger {} no longer has round {}", path_, claim.number()));
  }
  file.append(next_line(read.end, {{"event", "end"},
                                   {"round", claim.number()},
                                   {"build_id", round->build_id},
                                   {"result", state_name(outcome.state)},
                                   {"executions", outcome.executions},
                                   {"seconds", outcome.seconds},
                                   {"reason", bounded(outcome.reason, kReasonMost)},
                                   {"report", bounded(outcome.report, kIdMost)},
                                   {"time", utc_now()}})
                  .text);
}

}  // namespace heddle::cli
