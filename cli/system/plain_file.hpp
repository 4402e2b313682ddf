// Regular files, opened without surprises: no link is followed, no pipe or device is waited for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace heddle::cli {

// A file descriptor that closes itself; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int file = -1) noexcept : file_(file) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }

  int get() const noexcept { return file_; }
  int release() noexcept { return std::exchange(file_, -1); }

 private:
  int file_;
};

struct OpenedFile {
  Descriptor file;      // -1: it could not be opened
  int error = 0;        // the system's number then; 0: it is there, and is no regular file
  const char* is = "";  // what it is then: "a directory", "a symbolic link", "no regular file"
};

// Opens `path` for reading, or for reading and appending, which makes it where it is not there.
OpenedFile open_plain_file(const std::string& path, bool append);

// Whether the error means that the name itself is wrong or forbidden (too long, a loop of links, no folder, no right),
// and not that a disk is full or broken.
bool is_path_error(int error) noexcept;

// Hands the file's bytes on, piece by piece. False when it is no regular file or cannot be read.
bool read_plain_file(const std::string& path, const std::function<void(std::string_view)>& take);

}  // namespace heddle::cli
