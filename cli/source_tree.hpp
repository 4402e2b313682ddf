// The source tree that this program was built from, if it is still around: for stale binaries, and for symbols that a
// report names.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace heddle::cli {

// This program's file.
std::filesystem::path own_program();
// The nearest folder above `start` that holds Heddle's sources.
std::optional<std::filesystem::path> find_source_tree(const std::filesystem::path& start);
bool is_source_tree(const std::filesystem::path& folder);
// What a build of the tree as it is now would be called (cmake/build_id.sh). Throws Error when the script fails.
std::string source_build_id(const std::filesystem::path& tree);
// Whether the file exists below `tree` and its code, comments left out, names `symbol` ("LanePool::acquire").
bool names_symbol(const std::filesystem::path& tree, const std::string& file, std::string_view symbol);

}  // namespace heddle::cli
