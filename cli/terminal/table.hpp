// A table in plain text: columns as wide as their widest cell, the first to the left, the others to the right. Cells
// and fields are made fit to be shown (base/printable.hpp), and cells are cut at 80 bytes.
#pragma once

#include <string>
#include <vector>

namespace heddle::cli {

class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  // REQUIRES: as many cells as the header has.
  void add(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// "name          value" lines of a report.
std::string field_line(const std::string& name, const std::string& value);

}  // namespace heddle::cli
