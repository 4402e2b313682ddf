#include "cli/system/whole_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>

#include "cli/system/plain_file.hpp"
#include "heddle/error.hpp"

namespace heddle::cli {
namespace {

constexpr int kAttemptsMost = 16;

struct NewFile {
  Descriptor file;
  std::string path;
  int error = 0;  // the system's number
};

// A file that was not there, beside `path`, under a name that nobody can foresee. A link in its place is no file of
// ours.
NewFile make_beside(const std::filesystem::path& path) {
  NewFile made;
  for (int attempt = 0; attempt < kAttemptsMost; ++attempt) {
    std::uint64_t name = 0;
    if (::getrandom(&name, sizeof name, 0) != sizeof name) return {Descriptor(), "", errno};
    // Of fixed length: the name of `path` may be as long as names can be.
    made.path = path.parent_path() / fmt::format(".heddle-{:016x}.part", name);
    made.file = Descriptor(::open(made.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    made.error = made.file.get() < 0 ? errno : 0;
    if (made.error != EEXIST) return made;
  }
  return made;
}

// 0, or the system's error number.
int write_synced(Descriptor file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file.get(), text.data(), text.size());
    if (count < 0 && errno != EINTR) return errno;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (::fsync(file.get()) != 0) return errno;
  return ::close(file.release()) != 0 ? errno : 0;
}

}  // namespace

void write_whole_file(const std::filesystem::path& path, std::string_view text) {
  NewFile part = make_beside(path);
  int error = part.error;
  if (error == 0) {
    error = write_synced(std::move(part.file), text);
    if (error == 0 && ::rename(part.path.c_str(), path.c_str()) != 0) error = errno;
    if (error == 0) return;
    ::unlink(part.path.c_str());
  }
  const std::string said = fmt::format("{} cannot be written: {}", path.string(), std::strerror(error));
  if (is_path_error(error)) throw PathRefused(said + "; allowed: a file in a folder that you may write in");
  throw Error(ErrorKind::kInvalidArgument, said);
}

void require_writable_folder(const std::filesystem::path& folder) {
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  int error = made.value();
  if (error == 0) {
    const NewFile part = make_beside(folder / "writable");
    error = part.error;
    if (error == 0) ::unlink(part.path.c_str());
  }
  if (error == 0) return;
  throw InvalidArgument(
      fmt::format("nothing can be written in the folder {}: {}; allowed: an --out DIR that you may "
                  "write in",
                  folder.string(), std::strerror(error)));
}

}  // namespace heddle::cli
