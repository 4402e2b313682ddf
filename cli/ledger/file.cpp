#include "cli/ledger/file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "cli/ledger/ledger.hpp"
#include "heddle/error.hpp"

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
  const bool created = access == Access::kWrite && ::access(path.c_str(), F_OK) != 0;
  OpenedFile opened = open_plain_file(path, access == Access::kWrite);
  if (opened.file.get() < 0) {
    if (opened.error == ENOENT && access == Access::kRead) return;
    if (opened.error == 0) {
      throw InvalidArgument(fmt::format(
          "the ledger {} is {}; allowed: a file, or nothing, where verify begins a ledger", path, opened.is));
    }
    if (is_path_error(opened.error)) {
      throw InvalidArgument(
          fmt::format("the ledger {} cannot be opened: {}; allowed: an --out DIR whose files you may "
                      "read and write",
                      path, std::strerror(opened.error)));
    }
    errno = opened.error;
    fail("opened");
  }
  file_ = std::move(opened.file);
  if (created) sync_folder(path);
}

void LedgerFile::fail(const char* what, bool unchanged) const {
  throw Error(ErrorKind::kInvalidArgument, fmt::format("the ledger {} cannot be {}: {}{}", path_, what,
                                                       std::strerror(errno), unchanged ? "; nothing was changed" : ""));
}

void LedgerFile::lock(std::uint64_t slot, std::chrono::milliseconds most) {
  // Whoever writes holds the lock for milliseconds; a process that was stopped meanwhile must not stop this one too.
  const auto deadline = std::chrono::steady_clock::now() + most;
  while (!try_lock(slot)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      throw Error(ErrorKind::kTimeout,
                  fmt::format("the ledger {} has been locked by another process for {} ms; end that process, or give "
                              "this one another --out DIR",
                              path_, most.count()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

bool LedgerFile::try_lock(std::uint64_t slot) {
  struct flock wanted = lock_of(slot, F_WRLCK);
  if (::fcntl(file_.get(), F_OFD_SETLK, &wanted) == 0) return true;
  if (errno != EAGAIN && errno != EACCES) fail("locked");
  return false;
}

bool LedgerFile::locked_by_others(std::uint64_t slot) const {
  struct flock asked = lock_of(slot, F_RDLCK);
  if (::fcntl(file_.get(), F_OFD_GETLK, &asked) != 0) fail("asked for its locks");
  return asked.l_type != F_UNLCK;
}

std::string LedgerFile::read() const {
  std::string text;
  if (!exists()) return text;
  struct stat status{};
  if (::fstat(file_.get(), &status) != 0) fail("read");
  if (static_cast<std::uint64_t>(status.st_size) > kLedgerMost) {
    throw InvalidArgument(
        fmt::format("the ledger {} has {} bytes; allowed: at most {}; move it away to begin a new one", path_,
                    status.st_size, kLedgerMost));
  }
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t count = ::pread(file_.get(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read");
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void LedgerFile::append(const std::string& text) {
  struct stat before{};
  if (::fstat(file_.get(), &before) != 0) fail("read");
  ssize_t written = 0;
  do {
    written = ::write(file_.get(), text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) fail("written");
  if (static_cast<std::size_t>(written) != text.size()) {
    errno = ENOSPC;
    const bool undone = ::ftruncate(file_.get(), before.st_size) == 0;
    errno = ENOSPC;
    fail(undone ? "written" : "written, and ends in a torn line", undone);
  }
  if (::fsync(file_.get()) != 0) {
    const int error = errno;
    const bool undone = ::ftruncate(file_.get(), before.st_size) == 0;
    errno = error;
    fail("synced", undone);
  }
}

int LedgerFile::release() noexcept { return file_.release(); }

}  // namespace heddle::cli
