#include "cli/ledger/picture.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "heddle/base/printable.hpp"

namespace heddle::cli {
namespace {

constexpr std::size_t kColumns = 20;
constexpr std::size_t kSide = 36;
constexpr std::size_t kTop = 48;  // above the first row: the title
constexpr std::size_t kMargin = 12;

struct Look {
  RoundState state;
  const char* letter;
  const char* colour;
};

constexpr std::array<Look, 5> kLooks = {{{RoundState::kClean, "C", "#2e7d32"},
                                         {RoundState::kFailed, "F", "#c62828"},
                                         {RoundState::kVoid, "V", "#757575"},
                                         {RoundState::kUnfinished, "U", "#ef6c00"},
                                         {RoundState::kRunning, "R", "#1565c0"}}};

const Look& look_of(RoundState state) {
  return *std::find_if(kLooks.begin(), kLooks.end(), [state](const Look& look) { return look.state == state; });
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : printable(text)) {  // XML has no control characters at all
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

std::string square(const LedgerRound& round, std::size_t place, bool new_build) {
  const Look& look = look_of(round.outcome.state);
  const std::size_t x = kMargin + place % kColumns * kSide;
  const std::size_t y = kTop + place / kColumns * kSide;
  std::string text = fmt::format(
      "<g><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"{}\"/>"
      "<text x=\"{}\" y=\"{}\" fill=\"white\" text-anchor=\"middle\">{}{}</text>",
      escaped(fmt::format("round {}, {}, build {}, {} {}", round.number, state_name(round.outcome.state),
                          round.build_id, round.begun, round.outcome.reason)),
      x + 3, y + 3, kSide - 6, kSide - 6, look.colour, x + kSide / 2, y + kSide / 2 + 4, look.letter, round.number);
  if (new_build) text += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"2\" height=\"{}\" fill=\"black\"/>", x, y, kSide);
  return text + "</g>\n";
}

}  // namespace

std::string ledger_svg(const LedgerHistory& history) {
  const std::vector<LedgerRound>& rounds = history.rounds;
  const std::size_t rows = std::max<std::size_t>((rounds.size() + kColumns - 1) / kColumns, 1);
  const std::size_t width = 2 * kMargin + kColumns * kSide;
  const std::size_t height = kTop + rows * kSide + kMargin;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
      width, height);
  svg += fmt::format("<text x=\"{}\" y=\"20\" font-size=\"14\">{} rounds, {} clean in a row{}</text>\n", kMargin,
                     rounds.size(), clean_in_a_row(history, true),
                     rounds.empty() ? "" : fmt::format(" of build {}", escaped(rounds.back().build_id)));
  svg += fmt::format(
      "<text x=\"{}\" y=\"38\">C clean, F failed, V void, U unfinished, R running; a bar: another "
      "build</text>\n",
      kMargin);
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    svg += square(rounds[i], i, i > 0 && rounds[i].build_id != rounds[i - 1].build_id);
  }
  return svg + "</svg>\n";
}

}  // namespace heddle::cli
