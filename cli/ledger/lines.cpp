#include "cli/ledger/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "cli/system/sha256.hpp"
#include "heddle/base/printable.hpp"
#include "heddle/error.hpp"

namespace heddle::cli {
namespace {

constexpr std::array kStates = {RoundState::kClean, RoundState::kFailed, RoundState::kVoid};
constexpr double kMostSeconds = 1e9;
constexpr const char* kAfterTornLine = "after_torn_line";
constexpr std::size_t kDigits = 64;
constexpr std::string_view kDigestKey = R"(,"digest":")";
constexpr std::string_view kLineEnd = R"("})";
constexpr std::size_t kShownName = 64;

[[noreturn]] void throw_corrupt(const std::string& path, std::size_t line, const std::string& why) {
  throw InvalidArgument(fmt::format(
      "the ledger {} is corrupt: line {} is no entry ({}); nothing was changed; allowed: restore that line, "
      "or move the file away, with its reports, to begin a new ledger",
      path, line, why));
}

// Whether `line` can be what a writer that was cut short leaves: the beginning of an entry, then zeros where the file
// system had taken the length but not the bytes. A line of somebody else's file is not.
bool torn(std::string_view line) {
  if (const std::size_t zeros = line.find('\0'); zeros != std::string_view::npos) {
    if (line.find_first_not_of('\0', zeros) != std::string_view::npos) return false;
    line = line.substr(0, zeros);
  }
  for (const std::string_view start : {R"({"event":"begin","round":)", R"({"event":"end","round":)"}) {
    if (line.starts_with(start) || start.starts_with(line)) return true;
  }
  return false;
}

RoundState parse_state(const std::string& name) {
  for (const RoundState state : kStates) {
    if (name == state_name(state)) return state;
  }
  throw JsonError(fmt::format("its result is '{}'", printable(name, kShownName)));
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  ReadLedger read() {
    std::size_t line = 0;
    bool open = false;
    for (std::size_t start = 0; start < text_.size();) {
      ++line;
      const std::size_t end = text_.find('\n', start);
      open = end == std::string_view::npos;
      const std::size_t next = open ? text_.size() : end + 1;
      take_line(line, start, text_.substr(start, (open ? next : end) - start));
      start = next;
    }
    if (!unread_.empty() && !open) throw_corrupt(path_, unread_.front(), "not JSON");
    take_unread();
    number_gaps();
    ReadLedger result{std::move(history_), {"", text_.substr(entry_end_), open}};
    result.end.before = expected_before(text_.size(), open);
    return result;
  }

 private:
  void take_line(std::size_t line, std::size_t start, std::string_view content) {
    if (content.size() > kLineMost) {
      throw_corrupt(path_, line, fmt::format("it has {} bytes; allowed: at most {}", content.size(), kLineMost));
    }
    try {
      const std::optional<Json> entry = parse_json(content);
      if (!entry) {
        if (!torn(content)) throw JsonError("not JSON");
        unread_.push_back(line);
        return;
      }
      if (!unread_.empty()) {
        if (!entry->is_object() || !entry->contains(kAfterTornLine)) throw_corrupt(path_, unread_.front(), "not JSON");
        take_unread();
      }
      take_entry(*entry, line);
      look_at_chain(*entry, line, start, content);
    } catch (const JsonError& error) {
      throw_corrupt(path_, line, error.what());
    }
    entry_end_ = std::min(start + content.size() + 1, text_.size());
  }

  void take_unread() {
    history_.torn_lines.insert(history_.torn_lines.end(), unread_.begin(), unread_.end());
    unread_.clear();
  }

  void take_entry(const Json& entry, std::size_t line) {
    const std::uint64_t number = count_field(entry, "round", 1, kMostRounds);
    const std::string event = text_field(entry, "event", kIdMost);
    const auto known = places_.find(number);
    if (event == "begin") {
      if (known != places_.end()) throw JsonError(fmt::format("round {} begins twice", number));
      places_.emplace(number, history_.rounds.size());
      history_.rounds.push_back({number,
                                 text_field(entry, "build_id", kIdMost),
                                 text_field(entry, "device", kIdMost),
                                 text_field(entry, "time", kIdMost),
                                 line,
                                 {}});
      return;
    }
    if (event != "end") throw JsonError(fmt::format("its event is '{}'", printable(event, kShownName)));
    if (known == places_.end()) throw JsonError(fmt::format("round {} ends without a begin", number));
    end_round(history_.rounds[known->second], entry);
  }

  static void end_round(LedgerRound& round, const Json& entry) {
    if (round.outcome.state != RoundState::kUnfinished) {
      throw JsonError(fmt::format("round {} ends twice", round.number));
    }
    if (text_field(entry, "build_id", kIdMost) != round.build_id) {
      throw JsonError("its build id is not that of the round's begin");
    }
    const double seconds = number_field(entry, "seconds");
    if (!(seconds >= 0 && seconds <= kMostSeconds)) {
      throw JsonError(fmt::format("its seconds are {}; allowed: 0 to {:.0f}", seconds, kMostSeconds));
    }
    round.outcome = {parse_state(text_field(entry, "result", kIdMost)), count_field(entry, "executions"), seconds,
                     text_field(entry, "reason"), text_field(entry, "report", kIdMost)};
  }

  void look_at_chain(const Json& entry, std::size_t line, std::size_t start, std::string_view content) {
    if (!entry.contains("digest")) {
      if (!chained_) {
        ++history_.unchained_lines;
      } else {
        flaw(line, fmt::format("line {} carries no digest, and lines before it do", line), history_.rounds.size());
      }
      last_digest_.clear();
      return;
    }
    chained_ = true;
    const std::size_t tail = kDigestKey.size() + kDigits + kLineEnd.size();
    const std::string stated = text_field(entry, "digest", kIdMost);
    const bool in_form = stated.size() == kDigits && content.size() > tail && content.ends_with(kLineEnd) &&
                         content.substr(content.size() - tail).starts_with(kDigestKey);
    const std::size_t covered = start + content.size() - kDigits - kLineEnd.size() - entry_end_;
    if (!in_form || sha256(text_.substr(entry_end_, covered)) != stated) {
      flaw(line, fmt::format("line {} was changed: its digest is another one", line), history_.rounds.size());
    }
    if (const Json before = entry.value("before", Json()); !before.is_string() || before != expected_before(start)) {
      const std::size_t first = entry.at("event") == "begin" ? history_.rounds.size() - 1 : history_.rounds.size();
      flaw(line, fmt::format("line {} does not follow the line before it: one was removed, added or changed", line),
           first);
    }
    last_digest_ = in_form ? stated : std::string(1, '?');  // which no line has
  }

  // What a line that begins at `start` says in `before`. `ended`: as if a newline stood before it.
  std::string expected_before(std::size_t start, bool ended = false) {
    if (!last_digest_.empty()) return last_digest_;
    before_.add(text_.substr(hashed_, start - hashed_));
    hashed_ = start;
    return ended ? Sha256(before_).add("\n").digest() : before_.digest();
  }

  // Rounds before index `first` do not count.
  void flaw(std::size_t line, std::string text, std::size_t first) {
    history_.flaws.push_back({line, std::move(text)});
    history_.counted_from = std::max(history_.counted_from, first);
  }

  // Numbers that no round has, though a later round has a greater one.
  void number_gaps() {
    std::set<std::uint64_t> numbers;
    for (const LedgerRound& round : history_.rounds) numbers.insert(round.number);
    std::uint64_t greatest = 0;
    for (std::size_t i = 0; i < history_.rounds.size(); ++i) {
      const LedgerRound& round = history_.rounds[i];
      if (round.number <= greatest) continue;
      std::uint64_t expected = greatest + 1;
      for (auto at = numbers.lower_bound(expected); *at < round.number && *at == expected; ++at) ++expected;
      if (expected != round.number) {
        flaw(round.line,
             fmt::format("line {} begins round {}, and the ledger has no round {}", round.line, round.number, expected),
             i);
      }
      greatest = round.number;
    }
    std::sort(history_.flaws.begin(), history_.flaws.end(), [](const LedgerFlaw& a, const LedgerFlaw& b) {
      return std::tie(a.line, a.text) < std::tie(b.line, b.text);
    });
  }

  const std::string_view text_;
  const std::string& path_;
  LedgerHistory history_;
  std::unordered_map<std::uint64_t, std::size_t> places_;  // of rounds, by number
  std::vector<std::size_t> unread_;  // lines that are no JSON: torn, if what follows says so or nothing follows
  std::size_t entry_end_ = 0;        // of the last entry, with its newline
  bool chained_ = false;             // a line before carries a digest
  std::string last_digest_;          // of the last entry; empty: it has none
  Sha256 before_;                    // of the text before `hashed_`
  std::size_t hashed_ = 0;
};

}  // namespace

ReadLedger read_ledger(std::string_view text, const std::string& path) { return Reader(text, path).read(); }

LedgerHistory parse_ledger(std::string_view text, const std::string& path) { return read_ledger(text, path).history; }

NewLine next_line(const LedgerEnd& end, Json entry) {
  if (!end.since.empty()) entry[kAfterTornLine] = true;
  entry["before"] = end.before;
  std::string covered = json_text(entry);
  covered.pop_back();  // the brace
  covered += kDigestKey;
  const std::string open_end = end.open ? "\n" : "";
  std::string digest = sha256(std::string(end.since) + (end.since.empty() ? "" : open_end) + covered);
  return {open_end + covered + digest + std::string(kLineEnd) + "\n", digest};
}

}  // namespace heddle::cli
