// The ledger of verification rounds: one JSON object a line, only ever appended to.
//
// A round writes a line when it begins, which takes its number, and one when it ends. Each line goes out in one write()
// under a lock of the file and is synced, so several verifiers may share a ledger, and one that is killed at any moment
// leaves whole lines, at worst followed by the torn beginning of one. The next line then says that it follows a torn
// one; readers skip and report it. Any other line that cannot be read is corruption: nobody appends to such a ledger.
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
  std::string reason;  // of a failed or void round, in one line
  std::string report;  // the report's file, in the ledger's folder
};

inline constexpr std::uint64_t kMostRounds = 999'999;  // the greatest number that a round can have

struct LedgerRound {
  std::uint64_t number = 0;
  std::string build_id;
  std::string device;
  std::string begun;  // UTC, as 2026-11-23T12:30:00Z
  RoundOutcome outcome;
};

struct LedgerHistory {
  std::vector<LedgerRound> rounds;      // in the order in which they began
  std::vector<std::size_t> torn_lines;  // numbers of lines that were cut short, from 1
};

// Reads a ledger's text; rounds without an end are `unfinished`. Throws InvalidArgument that names `path` and the
// first line that is no entry.
LedgerHistory parse_ledger(std::string_view text, const std::string& path);

// How many rounds at the end of the history are clean without interruption. A failed, void or unfinished round ends the
// row; one that is running does not count either way. Of one build: only those with the build id of the newest.
std::size_t clean_in_a_row(const std::vector<LedgerRound>& rounds, bool of_one_build);

// The right to end a round; dropping it without doing so leaves the round unfinished. Movable.
class RoundClaim {
 public:
  RoundClaim(int file, std::uint64_t number) noexcept : file_(file), number_(number) {}
  ~RoundClaim();
  RoundClaim(RoundClaim&& other) noexcept;
  RoundClaim& operator=(RoundClaim&&) = delete;

  std::uint64_t number() const noexcept { return number_; }

 private:
  int file_;  // holds the lock
  std::uint64_t number_;
};

class Ledger {
 public:
  explicit Ledger(std::string path) : path_(std::move(path)) {}

  const std::string& path() const noexcept { return path_; }
  // A ledger that does not exist has no rounds. Throws InvalidArgument when it is corrupt, Error when it cannot be
  // read.
  LedgerHistory read() const;
  // Takes a number, the next one by default. Throws InvalidArgument for a number in use or a corrupt ledger, Error when
  // nothing can be written; then nothing was.
  RoundClaim begin(std::optional<std::uint64_t> number, const std::string& build_id, const std::string& device) const;
  // Throws Error when nothing can be written; then nothing was, and the round stays unfinished.
  void end(const RoundClaim& claim, const RoundOutcome& outcome) const;

 private:
  const std::string path_;
};

}  // namespace heddle::cli
