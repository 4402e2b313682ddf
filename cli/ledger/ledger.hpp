// The ledger of verification rounds: one JSON object a line, only ever appended to.
//
// A round writes a line when it begins, which takes its number, and one when it ends. Each line goes out in one write()
// under a lock of the file and is synced, so several verifiers may share a ledger, and one that is killed at any moment
// leaves whole lines, at worst followed by the torn beginning of one. The next line then says that it follows a torn
// one; readers skip and report it. Any other line that cannot be read is corruption: nobody appends to such a ledger.
//
// Each line carries its own digest and that of the line before (cli/ledger/lines.hpp). What was changed, removed or
// added by another hand, numbers that are missing, and a report of a round that the ledger lacks are flaws: they are
// reported, and rounds before a flaw do not count. Lines of before, without digests, remain readable.
//
// While a round runs, its verifier holds a lock that belongs to the round's number; the kernel drops it when the
// verifier dies. So a round that has begun, has not ended and is not locked will never end: it is `unfinished`.
//
// Thread safety: const members from any thread; several Ledger objects of one file, in any threads and processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::cli {

enum class RoundState : unsigned char { kClean, kFailed, kVoid, kUnfinished, kRunning };

const char* state_name(RoundState state);

// What a round leaves when it ends.
struct RoundOutcome {
  RoundState state = RoundState::kUnfinished;
  std::uint64_t executions = 0;  // of the checker, all scenarios
  double seconds = 0;
  std::string reason;  // of a failed or void round; kept up to kReasonMost bytes
  std::string report;  // the report's file, in the ledger's folder
};

inline constexpr std::uint64_t kMostRounds = 999'999;  // the greatest number that a round can have
inline constexpr std::size_t kIdMost = 256;            // bytes of a build id, a device, a time, a report's name
inline constexpr std::size_t kReasonMost = 8192;
inline constexpr std::size_t kLineMost = 65536;
inline constexpr std::uint64_t kLedgerMost = std::uint64_t{1} << 30;  // bytes of the file

struct LedgerRound {
  std::uint64_t number = 0;
  std::string build_id;
  std::string device;
  std::string begun;     // UTC, as 2026-11-23T12:30:00Z
  std::size_t line = 0;  // of its begin
  RoundOutcome outcome;
};

// Something that a ledger that was only ever appended to cannot have.
struct LedgerFlaw {
  std::size_t line = 0;  // where it was seen; 0: at the end
  std::string text;
};

struct LedgerHistory {
  std::vector<LedgerRound> rounds;      // in the order in which they began
  std::vector<std::size_t> torn_lines;  // numbers of lines that were cut short, from 1
  std::vector<LedgerFlaw> flaws;        // in the order of their lines
  std::size_t unchained_lines = 0;      // the first ones, which were written before lines carried digests
  std::size_t counted_from = 0;         // index of the first round that no flaw makes doubtful

  std::uint64_t last_number() const noexcept;  // the greatest; 0: no round
};

// Reads a ledger's text; rounds without an end are `unfinished`. A pure function. Throws InvalidArgument that names
// `path` and the first line that is no entry.
LedgerHistory parse_ledger(std::string_view text, const std::string& path);

// How many rounds at the end of the history are clean without interruption. A failed, void or unfinished round and a
// flaw end the row; a round that is running does not count either way. Of one build: only those with the build id of
// the newest.
std::size_t clean_in_a_row(const LedgerHistory& history, bool of_one_build);

// The right to end a round; dropping it without doing so leaves the round unfinished. Movable.
class RoundClaim {
 public:
  RoundClaim(int file, std::uint64_t number, std::string digest) noexcept
      : file_(file), number_(number), digest_(std::move(digest)) {}
  ~RoundClaim();
  RoundClaim(RoundClaim&& other) noexcept;
  RoundClaim& operator=(RoundClaim&&) = delete;

  std::uint64_t number() const noexcept { return number_; }
  // Of the line with which the round began: a report that names it shows which ledger it belongs to.
  const std::string& digest() const noexcept { return digest_; }

 private:
  int file_;  // holds the lock
  std::uint64_t number_;
  std::string digest_;
};

class Ledger {
 public:
  explicit Ledger(std::string path) : path_(std::move(path)) {}

  const std::string& path() const noexcept { return path_; }
  // A ledger that does not exist has no rounds. Looks at the reports in its folder too: a round that has one and is not
  // in the ledger is a flaw. Throws InvalidArgument when it is corrupt, Error when it cannot be read.
  LedgerHistory read() const;
  // Takes a number: by default the next that neither the ledger nor a report has. Throws InvalidArgument for a number
  // in use or a corrupt ledger, Error when nothing can be written; then nothing was.
  RoundClaim begin(std::optional<std::uint64_t> number, const std::string& build_id, const std::string& device) const;
  // Throws Error when nothing can be written; then nothing was, and the round stays unfinished.
  void end(const RoundClaim& claim, const RoundOutcome& outcome) const;

 private:
  const std::string path_;
};

// "round-0007": what the files of a round's report are called.
std::string report_stem(std::uint64_t round);
// The greatest number of a round whose report is in `folder`; 0: none.
std::uint64_t newest_report(const std::string& folder);

}  // namespace heddle::cli
