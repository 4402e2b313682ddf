#include "cli/whole_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "heddle/base/error.hpp"

namespace heddle::cli {
namespace {

// 0, or the system's error number.
int write_synced(const std::string& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return errno;
  int error = 0;
  while (!text.empty() && error == 0) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count >= 0) text.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) error = errno;
  }
  if (error == 0 && ::fsync(file) != 0) error = errno;
  if (::close(file) != 0 && error == 0) error = errno;
  return error;
}

// Of this process, so that two verifiers do not write the same one.
std::string beside(const std::filesystem::path& path) { return fmt::format("{}.{}.part", path.string(), ::getpid()); }

}  // namespace

void write_whole_file(const std::filesystem::path& path, std::string_view text) {
  const std::string part = beside(path);
  int error = write_synced(part, text);
  if (error == 0 && ::rename(part.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(part.c_str());
  throw Error(ErrorKind::kInvalidArgument,
              fmt::format("{} cannot be written: {}", path.string(), std::strerror(error)));
}

void require_writable_folder(const std::filesystem::path& folder) {
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  int error = made.value();
  if (error == 0) {
    const std::string part = beside(folder / "writable");
    error = write_synced(part, "");
    ::unlink(part.c_str());
  }
  if (error == 0) return;
  throw InvalidArgument(
      fmt::format("nothing can be written in the folder {}: {}; allowed: an --out DIR that you may "
                  "write in",
                  folder.string(), std::strerror(error)));
}

}  // namespace heddle::cli
