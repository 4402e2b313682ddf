// Decision strings and strategies of heddle-check.
#include "heddle_check/decisions.hpp"

#include <stdexcept>

#include "fuzz/fuzz.hpp"
#include "heddle_check/explorer.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace heddle_check;
  const std::string_view text = fuzz::text_of(bytes, size);
  DecisionString parsed;
  if (fuzz::accepts<std::invalid_argument>([&] { parsed = DecisionString::parse(text); })) {
    const DecisionString again = DecisionString::parse(parsed.text());
    fuzz::expect(again.text() == parsed.text() && again.decisions == parsed.decisions, "a decision string changes");
  }
  StrategySpec spec;
  if (fuzz::accepts<std::invalid_argument>([&] { spec = parse_strategy(text); })) {
    fuzz::expect(to_text(parse_strategy(to_text(spec))) == to_text(spec), "a strategy changes");
  }
  return 0;
}
