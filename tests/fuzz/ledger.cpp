// A ledger of verification rounds (cli/ledger/ledger.hpp).
#include "cli/ledger/ledger.hpp"

#include "fuzz/fuzz.hpp"
#include "heddle/error.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace heddle::cli;
  LedgerHistory history;
  if (!fuzz::accepts<heddle::InvalidArgument>(
          [&] { history = parse_ledger(fuzz::text_of(bytes, size), "ledger.jsonl"); })) {
    return 0;
  }
  for (const LedgerRound& round : history.rounds) {
    fuzz::expect(round.number >= 1 && round.number <= kMostRounds, "a round's number is out of range");
  }
  const std::size_t of_one = clean_in_a_row(history, true);
  const std::size_t of_all = clean_in_a_row(history, false);
  fuzz::expect(of_one <= of_all && of_all <= history.rounds.size(), "more rounds in a row than there are");
  return 0;
}
