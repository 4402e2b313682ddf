// The ledger's file: locks, reading, and appending one line in one write.
//
// Locks are of open file descriptions (fcntl, F_OFD_*), on bytes far behind the file's end: they exclude threads and
// processes alike and end with their holder. Thread safety: one object, one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/system/plain_file.hpp"

namespace heddle::cli {

class LedgerFile {
 public:
  enum class Access : unsigned char { kRead, kWrite };
  // kWrite creates it. Follows no link. Throws InvalidArgument for what is no file or may not be opened, Error with the
  // system's text otherwise. exists() is false for one to be read that is not there.
  LedgerFile(const std::string& path, Access access);

  bool exists() const noexcept { return file_.get() >= 0; }
  // Until this object goes. `slot` 0: whoever appends; otherwise a round's number. lock() throws Error of kind
  // kTimeout after `most`.
  void lock(std::uint64_t slot, std::chrono::milliseconds most = std::chrono::seconds(10));
  bool try_lock(std::uint64_t slot);
  bool locked_by_others(std::uint64_t slot) const;
  std::string read() const;
  // REQUIRES: the lock of slot 0. A text that could be written only in part is taken back. Throws Error.
  void append(const std::string& text);
  // Gives the descriptor, and with it the locks, to the caller.
  int release() noexcept;

 private:
  [[noreturn]] void fail(const char* what, bool unchanged = true) const;

  const std::string path_;
  Descriptor file_;
};

}  // namespace heddle::cli
