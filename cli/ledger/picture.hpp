// The history of rounds as a picture (SVG): a square a round, in the order of the ledger.
#pragma once

#include <string>

#include "cli/ledger/ledger.hpp"

namespace heddle::cli {

// A square's letter and colour say how its round ended; a bar on its left says that another build began.
std::string ledger_svg(const LedgerHistory& history);

}  // namespace heddle::cli
