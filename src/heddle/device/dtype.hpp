// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "heddle/base/namespace.hpp"

namespace HEDDLE_NS {

enum class Dtype : std::uint8_t { kFloat32 = 0 };

constexpr std::size_t size_of(Dtype) noexcept { return 4; }
constexpr std::string_view name_of(Dtype) noexcept { return "float32"; }

}  // namespace HEDDLE_NS
