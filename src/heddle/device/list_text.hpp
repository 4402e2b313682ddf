// Command lists for people: what a list does, and where two lists differ.
//
// Thread safety: functions without state.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/command_list.hpp"

namespace HEDDLE_NS {

// One line, without addresses: "matmul f32 [256,256] x [256,256]". REQUIRES: the command's arguments are intact.
std::string text_of(const CommandView& command);
// One line per command.
std::string text_of(const CommandList& list);

struct ListDifference {
  std::size_t command = 0;  // its number, from 0
  std::string_view field;   // of its arguments, or "kernel", "dtype", "source", "commands"
  bool is_address = false;  // an operand's address: the commands do the same elsewhere
  std::string text;         // "command 2 (add f32 [64]): b is 0x7f.. and 0x7e.."
};

// The first word in which two lists differ; none where they are equal.
std::optional<ListDifference> first_difference(const CommandList& a, const CommandList& b);

}  // namespace HEDDLE_NS
