// The source tree that this program was built from, if it is still around: for stale binaries, and for symbols that a
// report names. Nothing of a tree is ever run: it may belong to somebody else.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace heddle::cli {

inline constexpr std::size_t kSourceFilesMost = 20'000;
inline constexpr std::size_t kSourceBytesMost = std::size_t{256} << 20;

// This program's file.
std::filesystem::path own_program();
// The nearest folder above `start` that holds Heddle's sources.
std::optional<std::filesystem::path> find_source_tree(const std::filesystem::path& start);
bool is_source_tree(const std::filesystem::path& folder);
// A digest of what is built from the tree: names and contents of the files that cmake/build_id.sh takes. Reads regular
// files, follows no link, and runs nothing. Throws Error for a tree that holds more than it may.
std::string source_digest(const std::filesystem::path& tree);
// What the tree's build would be called: this program's build id if it was built from the same sources, otherwise
// "src-" and 12 digits of their digest.
std::string build_of_sources(const std::filesystem::path& tree);
// Whether the file exists below `tree` and its code, comments left out, names `symbol` ("LanePool::acquire").
bool names_symbol(const std::filesystem::path& tree, const std::string& file, std::string_view symbol);

}  // namespace heddle::cli
