// The decisions of one execution, and the string that people exchange.
//
//   hc1:BUILD:SCENARIO:PLANT:HASH:3,0*12,1       runs as COUNT after '*'; PLANT is '-' without a plant
//
// Zero usually means "the running thread continues", so strings are short.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace heddle_check {

using DecisionList = std::vector<std::uint8_t>;

std::string encode_runs(const DecisionList& decisions);
// Throws std::invalid_argument with a one-line reason.
DecisionList decode_runs(std::string_view text);

struct DecisionString {
  std::string build_id;
  std::string scenario;
  std::string plant;  // empty: none
  std::uint64_t trace_hash = 0;
  DecisionList decisions;

  std::string text() const;
  // Throws std::invalid_argument with a one-line reason.
  static DecisionString parse(std::string_view text);
};

}  // namespace heddle_check
