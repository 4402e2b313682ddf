#include "cli/system/plain_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace heddle::cli {
namespace {

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  return S_ISLNK(mode) ? "a symbolic link" : "no regular file";
}

}  // namespace

Descriptor::~Descriptor() {
  if (file_ >= 0) ::close(file_);
}

OpenedFile open_plain_file(const std::string& path, bool append) {
  const int access = append ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY;
  Descriptor file(::open(path.c_str(), access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644));
  struct stat status{};
  if (file.get() < 0) {
    const int error = errno;
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
      return {Descriptor(), 0, kind_of(status.st_mode)};
    return {Descriptor(), error, ""};
  }
  if (::fstat(file.get(), &status) != 0) return {Descriptor(), errno, ""};
  if (!S_ISREG(status.st_mode)) return {Descriptor(), 0, kind_of(status.st_mode)};
  return {std::move(file), 0, ""};
}

bool is_path_error(int error) noexcept {
  switch (error) {
    case ENAMETOOLONG:
    case ELOOP:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case EROFS:
    case EINVAL: return true;
    default: return false;
  }
}

bool read_plain_file(const std::string& path, const std::function<void(std::string_view)>& take) {
  const OpenedFile opened = open_plain_file(path, false);
  if (opened.file.get() < 0) return false;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t count = ::read(opened.file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    take({buffer.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace heddle::cli
