#include "heddle_check/core/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace heddle_check {
namespace {

constexpr std::size_t kColumn = 36;

std::string_view file_of(const Site& site) {
  const std::string_view path = site.file_name();
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string cut(std::string text, std::size_t width) {
  if (text.size() > width) text.resize(width);
  return text;
}

}  // namespace

void Trace::note(ThreadId thread, const std::string& text) {
  // The row of the thread's current operation is the last of its rows.
  const auto row = std::find_if(rows_.rbegin(), rows_.rend(), [&](const TraceRow& r) { return r.thread == thread; });
  if (row != rows_.rend()) row->note += (row->note.empty() ? "" : ", ") + text;
}

std::string Trace::print(const std::vector<std::string>& names) const {
  std::string text = fmt::format("{:>5}   ", "");
  for (std::size_t i = 0; i < names.size(); ++i) text += fmt::format("{:<{}}", cut(names[i], kColumn - 1), kColumn);
  text += "where\n";
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const TraceRow& row = rows_[i];
    std::string what = fmt::format("{} {}", name_of(row.operation.kind), row.object);
    if (!row.note.empty()) what += " " + row.note;
    text += fmt::format("{:>5} {} ", i + 1, row.preempts ? '*' : ' ');
    text += std::string(row.thread * kColumn, ' ');
    text += fmt::format("{:<{}}", cut(what, kColumn - 1), (names.size() - row.thread) * kColumn);
    text += fmt::format("{}:{}\n", file_of(row.operation.site), row.operation.site.line());
  }
  text += "* a preemption: the previous thread could have continued\n";
  return text;
}

}  // namespace heddle_check
