// Strict reading of HEDDLE_* variables and of numbers that people type.
//
// A malformed value throws InvalidArgument naming the variable (or option), its value and what is allowed; it is never
// ignored. An unset or empty variable is "not given"; so is every one in a program that runs with another user's rights
// (setuid, capabilities: secure_getenv). Reading the environment is not safe against a concurrent setenv;
// callers read it once, when a Runtime opens.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heddle {

// Decimal digits only; throws unless low <= value <= high.
std::uint64_t parse_count(std::string_view name, std::string_view text, std::uint64_t low, std::uint64_t high);

// A byte size: digits with an optional suffix K, M, G, T, or KiB, MiB, GiB, TiB (powers of 1024). At least 1.
std::uint64_t parse_bytes(std::string_view name, std::string_view text);

std::optional<std::string> environment_value(const char* name);
std::optional<std::uint64_t> environment_count(const char* name, std::uint64_t low, std::uint64_t high);
std::optional<std::uint64_t> environment_bytes(const char* name);

// One line that names every HEDDLE_* variable of the environment that no part of the library reads; empty without one.
std::string unknown_environment();

// Writes that line to standard error, once per process. Only a warning: an orchestrator that runs a service named
// heddle sets HEDDLE_PORT and the like in every container of its namespace, and a runtime must open there all the same.
void warn_of_unknown_environment();

}  // namespace heddle
