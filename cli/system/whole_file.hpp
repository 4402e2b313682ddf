// Files that appear whole or not at all.
//
// What is written stands first in a file of its own beside the target, made exclusively under a name that cannot be
// foreseen, and is renamed when it is synced: nothing that somebody put there is followed, emptied or written to.
#pragma once

#include <filesystem>
#include <string_view>

#include "heddle/error.hpp"

namespace heddle::cli {

// The name of a file cannot be, or may not be written.
class PathRefused : public Error {
 public:
  explicit PathRefused(const std::string& text) : Error(ErrorKind::kInvalidArgument, text) {}
};

// Throws Error (PathRefused where the name is at fault), with the system's text, and leaves what was there.
void write_whole_file(const std::filesystem::path& path, std::string_view text);

// Makes `folder` where it is not there, and tries to write in it. Throws InvalidArgument naming it.
void require_writable_folder(const std::filesystem::path& folder);

}  // namespace heddle::cli
