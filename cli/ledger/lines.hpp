// The lines of a ledger, as text: how one is written, and how a whole ledger is read. Pure functions.
//
//   {"event":"begin","round":7, ... ,"before":"<64 digits>","digest":"<64 digits>"}
//
// 1. `before` is the digest of the entry before; where that has none (an empty ledger, lines of before), the SHA-256 of
//    all bytes before this line, so the first chained line seals them.
// 2. `digest` is the SHA-256 of all bytes between the entry before and its own digits: torn lines, and this line.
// 3. So every byte up to the last line's closing brace is covered. Whoever can write the file can compute both anew:
// the
//    chain shows accidents and careless hands, not a forger.
#pragma once

#include <string>
#include <string_view>

#include "cli/ledger/ledger.hpp"
#include "cli/terminal/json.hpp"

namespace heddle::cli {

// Where a text ends: what the next line follows.
struct LedgerEnd {
  std::string before;      // what the next line's `before` is
  std::string_view since;  // the torn bytes since the last entry
  bool open = false;       // the last line lacks its newline
};

struct ReadLedger {
  LedgerHistory history;
  LedgerEnd end;
};

// As parse_ledger(); `end` refers to `text`.
ReadLedger read_ledger(std::string_view text, const std::string& path);

struct NewLine {
  std::string text;    // what to append
  std::string digest;  // its own
};

// The line for `entry`, which is not chained yet. It ends an open line first, in the same write.
NewLine next_line(const LedgerEnd& end, Json entry);

}  // namespace heddle::cli
