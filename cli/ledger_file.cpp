#include "cli/ledger_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "heddle/base/error.hpp"

namespace heddle::cli {
namespace {

struct flock lock_of(std::uint64_t slot, int type) {
  constexpr std::uint64_t kLocks = std::uint64_t{1} << 40;  // where they begin
  struct flock lock{};
  lock.l_type = static_cast<short>(type);
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(kLocks + slot);
  lock.l_len = 1;
  return lock;
}

// A new file's name survives a crash only once its folder is synced.
void sync_folder(const std::string& path) {
  const std::string folder = std::filesystem::absolute(path).parent_path();
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::close(file);
}

}  // namespace

LedgerFile::LedgerFile(const std::string& path, Access access) : path_(path) {
  std::error_code unknown;  // what else is wrong with the path shows below
  const std::filesystem::file_status status = std::filesystem::status(path, unknown);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw InvalidArgument(fmt::format("the ledger {} is {}; allowed: a file, or nothing, where verify begins a ledger",
                                      path, std::filesystem::is_directory(status) ? "a directory" : "no regular file"));
  }
  const bool created = access == Access::kWrite && ::access(path.c_str(), F_OK) != 0;
  const int flags = access == Access::kWrite ? O_RDWR | O_CREAT | O_APPEND : O_RDONLY;
  file_ = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (file_ < 0 && (access == Access::kWrite || errno != ENOENT)) fail("opened");
  if (created) sync_folder(path);
}

LedgerFile::~LedgerFile() {
  if (file_ >= 0) ::close(file_);
}

void LedgerFile::fail(const char* what) const {
  throw Error(ErrorKind::kInvalidArgument,
              fmt::format("the ledger {} cannot be {}: {}; nothing was changed", path_, what, std::strerror(errno)));
}

void LedgerFile::lock(std::uint64_t slot) {
  struct flock wanted = lock_of(slot, F_WRLCK);
  while (::fcntl(file_, F_OFD_SETLKW, &wanted) != 0) {
    if (errno != EINTR) fail("locked");
  }
}

bool LedgerFile::try_lock(std::uint64_t slot) {
  struct flock wanted = lock_of(slot, F_WRLCK);
  if (::fcntl(file_, F_OFD_SETLK, &wanted) == 0) return true;
  if (errno != EAGAIN && errno != EACCES) fail("locked");
  return false;
}

bool LedgerFile::locked_by_others(std::uint64_t slot) const {
  struct flock asked = lock_of(slot, F_RDLCK);
  if (::fcntl(file_, F_OFD_GETLK, &asked) != 0) fail("asked for its locks");
  return asked.l_type != F_UNLCK;
}

std::string LedgerFile::read() const {
  std::string text;
  if (!exists()) return text;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t count = ::pread(file_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void LedgerFile::append(const std::string& text) {
  struct stat before{};
  if (::fstat(file_, &before) != 0) fail("read");
  ssize_t written = 0;
  do {
    written = ::write(file_, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) fail("written");
  if (static_cast<std::size_t>(written) != text.size()) {
    errno = ENOSPC;
    if (::ftruncate(file_, before.st_size) == 0) fail("written");
    fail("written, and ends in a torn line");
  }
  if (::fsync(file_) != 0) fail("synced");
}

int LedgerFile::release() noexcept { return std::exchange(file_, -1); }

}  // namespace heddle::cli
