// The operands of a command: where its addresses point, what it does there, and how far it reaches (arg_layouts.hpp).
//
// Recording orders and notes by it, the simulated device checks accesses with it, and list_text.hpp prints with it.
// Thread safety: functions without state.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "heddle/detail/namespace.hpp"
#include "heddle/device/arg_layouts.hpp"
#include "heddle/device/command.hpp"
#include "heddle/device/kernel_args.hpp"

namespace HEDDLE_NS {

// One address of one command.
struct Operand {
  std::string_view name;
  const void* address;
  Reach reach;
  Access access;

  // False where the command does without it: no address, or nothing to touch there.
  bool in_use() const noexcept { return address != nullptr && !reach.empty(); }
};

// How many addresses the arguments have, those of a tail not counted.
template <class Args>
inline constexpr std::size_t kAddresses = [] {
  std::size_t count = 0;
  for (const Field<Args>& field : Layout<Args>::kFields) count += field.is_address() ? 1 : 0;
  return count;
}();

// The fields of these addresses.
template <class Args>
inline constexpr std::array<Field<Args>, kAddresses<Args>> kAddressFields = [] {
  std::array<Field<Args>, kAddresses<Args>> fields;
  std::size_t count = 0;
  for (const Field<Args>& field : Layout<Args>::kFields) {
    if (field.is_address()) fields[count++] = field;
  }
  return fields;
}();

namespace detail {

template <class Args>
const void* address_at(const Args& args, std::size_t offset) noexcept {
  const void* address = nullptr;
  std::memcpy(&address, reinterpret_cast<const std::byte*>(&args) + offset, sizeof(address));
  return address;
}

}  // namespace detail

template <class Args>
Operand operand_of(const Field<Args>& field, const CommandHeader& command, const Args& args) noexcept {
  return {field.name, detail::address_at(args, field.offset), field.reach(args, command), field.access};
}

// visit(Operand) for every operand in use.
template <class Args, class Visit>
void for_each_operand(const CommandHeader& command, const Args& args, const Visit& visit) {
  const auto visit_field = [&](const Field<Args>& field) {
    if (const Operand operand = operand_of(field, command, args); operand.in_use()) visit(operand);
  };
  for (const Field<Args>& field : kAddressFields<Args>) visit_field(field);
  if constexpr (requires { Layout<Args>::kTailField; }) {
    Field<Args> field = Layout<Args>::kTailField;
    for (const std::size_t end = encoded_bytes(args); field.offset < end; field.offset += field.bytes) {
      visit_field(field);
    }
  }
}

// use(args) with the arguments of the command, of their own type. Nothing for what is no kernel.
template <class Use>
void with_args(const CommandView& command, const Use& use) {
  switch (command.kernel()) {
#define HEDDLE_KERNEL(Id, name, Args) \
  case KernelId::k##Id: return use(command.args<Args>());
#include "heddle/device/kernels-inl.h"
    default: return;
  }
}

template <class Visit>
void for_each_operand(const CommandView& command, const Visit& visit) {
  with_args(command, [&](const auto& args) { for_each_operand(command.header(), args, visit); });
}

}  // namespace HEDDLE_NS
