#include "cli/ledger.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/ledger_file.hpp"
#include "heddle/base/error.hpp"

namespace heddle::cli {
namespace {

using Json = nlohmann::ordered_json;
using Access = LedgerFile::Access;

constexpr std::uint64_t kAppendLock = 0;
constexpr std::array kStates = {RoundState::kClean, RoundState::kFailed, RoundState::kVoid};
constexpr std::uint64_t kMostSeconds = 1'000'000'000;
constexpr const char* kAfterTornLine = "after_torn_line";

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

LedgerRound* find(std::vector<LedgerRound>& rounds, std::uint64_t number) {
  const auto found = std::find_if(rounds.rbegin(), rounds.rend(),
                                  [number](const LedgerRound& round) { return round.number == number; });
  return found == rounds.rend() ? nullptr : &*found;
}

RoundState parse_state(const std::string& name) {
  for (const RoundState state : kStates) {
    if (name == state_name(state)) return state;
  }
  throw std::runtime_error("its result is '" + name + "'");
}

// Throws (a JSON exception or a runtime_error) when `entry` does not fit.
void take_entry(const Json& entry, LedgerHistory& history) {
  if (const Json& round = entry.at("round"); !round.is_number_unsigned() || round == 0 || round > kMostRounds) {
    throw std::runtime_error(fmt::format("its round is {}; allowed: 1 to {}", round.dump(), kMostRounds));
  }
  const auto number = entry.at("round").get<std::uint64_t>();
  const auto event = entry.at("event").get<std::string>();
  LedgerRound* round = find(history.rounds, number);
  if (event == "begin") {
    if (round != nullptr) throw std::runtime_error(fmt::format("round {} begins twice", number));
    history.rounds.push_back({number, entry.at("build_id"), entry.at("device"), entry.at("time"), {}});
    return;
  }
  if (event != "end") throw std::runtime_error("its event is '" + event + "'");
  if (round == nullptr) throw std::runtime_error(fmt::format("round {} ends without a begin", number));
  if (round->outcome.state != RoundState::kUnfinished)
    throw std::runtime_error(fmt::format("round {} ends twice", number));
  if (entry.at("build_id") != round->build_id)
    throw std::runtime_error("its build id is not that of the round's begin");
  if (!entry.at("executions").is_number_unsigned()) throw std::runtime_error("its executions are no count");
  if (const Json& seconds = entry.at("seconds"); !seconds.is_number() || seconds < 0 || seconds > kMostSeconds) {
    throw std::runtime_error(fmt::format("its seconds are {}; allowed: 0 to {}", seconds.dump(), kMostSeconds));
  }
  round->outcome = {parse_state(entry.at("result")), entry.at("executions"), entry.at("seconds"), entry.at("reason"),
                    entry.at("report")};
}

[[noreturn]] void throw_corrupt(const std::string& path, std::size_t line, const std::string& why) {
  throw InvalidArgument(fmt::format(
      "the ledger {} is corrupt: line {} is no entry ({}); nothing was changed; allowed: restore that line, "
      "or move the file away to begin a new ledger",
      path, line, why));
}

// Ends the last line if it was left open, in the same write.
void append_entry(LedgerFile& file, std::string_view text, Json entry) {
  const std::string_view last = text.substr(text.rfind('\n') + 1);  // empty unless the line is open
  if (!last.empty() && !Json::accept(last)) entry[kAfterTornLine] = true;
  file.append((last.empty() ? "" : "\n") + entry.dump() + "\n");
}

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

LedgerHistory parse_ledger(std::string_view text, const std::string& path) {
  LedgerHistory history;
  std::vector<std::size_t> unread;  // the lines before, which are no JSON: torn, if what follows says so or is torn too
  std::size_t line = 0;
  bool open = false;  // the last line has no end
  while (!text.empty()) {
    ++line;
    const std::size_t end = text.find('\n');
    const std::string_view content = text.substr(0, end);
    open = end == std::string_view::npos;
    text.remove_prefix(open ? text.size() : end + 1);
    const Json entry = Json::parse(content, nullptr, false);
    if (entry.is_discarded()) {
      unread.push_back(line);
      continue;
    }
    if (!unread.empty()) {
      if (!entry.is_object() || !entry.contains(kAfterTornLine)) throw_corrupt(path, unread.front(), "not JSON");
      history.torn_lines.insert(history.torn_lines.end(), unread.begin(), unread.end());
      unread.clear();
    }
    try {
      take_entry(entry, history);
    } catch (const std::exception& error) {
      throw_corrupt(path, line, error.what());
    }
  }
  if (!unread.empty() && !open) throw_corrupt(path, unread.front(), "not JSON");
  history.torn_lines.insert(history.torn_lines.end(), unread.begin(), unread.end());
  return history;
}

std::size_t clean_in_a_row(const std::vector<LedgerRound>& rounds, bool of_one_build) {
  std::size_t count = 0;
  const std::string* build = nullptr;
  for (auto round = rounds.rbegin(); round != rounds.rend(); ++round) {
    if (round->outcome.state == RoundState::kRunning) continue;
    if (round->outcome.state != RoundState::kClean) break;
    if (build == nullptr) build = &round->build_id;
    if (of_one_build && round->build_id != *build) break;
    ++count;
  }
  return count;
}

RoundClaim::~RoundClaim() {
  if (file_ >= 0) ::close(file_);
}

RoundClaim::RoundClaim(RoundClaim&& other) noexcept : file_(std::exchange(other.file_, -1)), number_(other.number_) {}

LedgerHistory Ledger::read() const {
  const LedgerFile file(path_, Access::kRead);
  LedgerHistory history = parse_ledger(file.read(), path_);
  for (LedgerRound& round : history.rounds) {
    if (round.outcome.state == RoundState::kUnfinished && file.locked_by_others(round.number)) {
      round.outcome.state = RoundState::kRunning;
    }
  }
  return history;
}

RoundClaim Ledger::begin(std::optional<std::uint64_t> number, const std::string& build_id,
                         const std::string& device) const {
  LedgerFile file(path_, Access::kWrite);
  file.lock(kAppendLock);
  const std::string text = file.read();
  LedgerHistory history = parse_ledger(text, path_);
  std::uint64_t last = 0;
  for (const LedgerRound& round : history.rounds) last = std::max(last, round.number);
  if (number && find(history.rounds, *number) != nullptr) {
    throw InvalidArgument(
        fmt::format("round {} is in the ledger {} already; allowed: a number that is not, such as {}, or none, which "
                    "takes the next",
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
  append_entry(file, text,
               {{"event", "begin"}, {"round", taken}, {"build_id", build_id}, {"device", device}, {"time", utc_now()}});
  return {claim.release(), taken};
}

void Ledger::end(const RoundClaim& claim, const RoundOutcome& outcome) const {
  LedgerFile file(path_, Access::kWrite);
  file.lock(kAppendLock);
  const std::string text = file.read();
  LedgerHistory history = parse_ledger(text, path_);
  const LedgerRound* round = find(history.rounds, claim.number());
  if (round == nullptr) {
    throw Error(ErrorKind::kInvalidArgument,
                fmt::format("the ledger {} no longer has round {}", path_, claim.number()));
  }
  append_entry(file, text,
               {{"event", "end"},
                {"round", claim.number()},
                {"build_id", round->build_id},
                {"result", state_name(outcome.state)},
                {"executions", outcome.executions},
                {"seconds", outcome.seconds},
                {"reason", outcome.reason},
                {"report", outcome.report},
                {"time", utc_now()}});
}

}  // namespace heddle::cli
