#include "heddle/shutdown_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace HEDDLE_NS {

std::string ShutdownReport::text() const {
  std::string text = fmt::format(
      "shutdown {}: {} commands complete ({} of them with an error), {} abandoned; handlers: {} run, {} abandoned, {} "
      "still pending",
      complete ? "complete" : "ran out of time", completed, failed, abandoned, handlers_run, handlers_abandoned,
      handlers_pending);
  if (!busy.empty()) text += fmt::format("\nstill recording: {}", busy);
  if (leaked_blocks != 0) {
    const auto shown = std::min<std::ptrdiff_t>(std::ssize(leaked_sizes), 8);
    text += fmt::format("\nstill referred to by tensors: {} bytes in {} blocks", leaked_bytes, leaked_blocks);
    if (shown != 0) {
      text += fmt::format(" ({}{})", fmt::join(leaked_sizes.begin(), leaked_sizes.begin() + shown, ", "),
                          leaked_blocks > static_cast<std::size_t>(shown) ? ", ..." : "");
    }
  }
  if (bytes_kept != 0) text += fmt::format("\nkept because the device may still use it: {} bytes", bytes_kept);
  return text;
}

}  // namespace HEDDLE_NS
