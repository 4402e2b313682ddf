// Trace: the visible operations of one execution in readable form: a column per thread, a row per operation.
#pragma once

#include <string>
#include <vector>

#include "heddle_check/core/operation.hpp"

namespace heddle_check {

struct TraceRow {
  ThreadId thread = 0;
  Operation operation;
  std::string object;     // its label
  std::string note;       // values, choices
  bool preempts = false;  // the previous thread could have continued
};

class Trace {
 public:
  void clear() { rows_.clear(); }
  void add(TraceRow row) { rows_.push_back(std::move(row)); }
  void note(ThreadId thread, const std::string& text);
  // `names` by thread.
  std::string print(const std::vector<std::string>& names) const;

 private:
  std::vector<TraceRow> rows_;
};

}  // namespace heddle_check
