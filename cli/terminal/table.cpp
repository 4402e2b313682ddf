#include "cli/terminal/table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "heddle/base/printable.hpp"

namespace heddle::cli {
namespace {

constexpr std::size_t kCellMost = 80;

}  // namespace

void Table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = printable(cell, kCellMost);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string result;
  for (const auto& row : rows_) {
    std::string line = fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < widths.size(); ++i) line += fmt::format("  {:>{}}", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    result += line + "\n";
  }
  return result;
}

std::string field_line(const std::string& name, const std::string& value) {
  return fmt::format("  {:<14}{}\n", printable(name), printable(value));
}

}  // namespace heddle::cli
