// Files that appear whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

namespace heddle::cli {

// Writes beside `path`, syncs, and renames. Throws Error, with the system's text, and leaves what was there.
void write_whole_file(const std::filesystem::path& path, std::string_view text);

// Makes `folder` where it is not there, and tries to write in it. Throws InvalidArgument naming it.
void require_writable_folder(const std::filesystem::path& folder);

}  // namespace heddle::cli
