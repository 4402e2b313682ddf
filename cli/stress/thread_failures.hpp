// Counts the exceptions that threads threw and keeps the first few texts. Counting never throws, even out of host
// memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::cli {

// Thread safety: note() from any thread; the rest once those have ended.
class ThreadFailures {
 public:
  explicit ThreadFailures(std::size_t shown_most = 5) { texts_.reserve(shown_most); }

  // Calls `body`; what it throws is noted, with `where` in front of its text. False when it threw.
  template <class Body>
  bool guard(std::string_view where, const Body& body) noexcept {
    try {
      body();
      return true;
    } catch (...) {
      note(where, std::current_exception());
      return false;
    }
  }
  void note(std::string_view where, const std::exception_ptr& exception) noexcept;

  std::uint64_t count() const noexcept { return count_; }
  // The first; one of memory that ran out goes before others, which it may have caused.
  const std::exception_ptr& first() const noexcept { return first_; }
  bool out_of_memory() const noexcept { return out_of_memory_; }
  // Fewer than count() where there were more, or where a text had no room.
  const std::vector<std::string>& texts() const noexcept { return texts_; }

 private:
  std::mutex mutex_;  // guards what follows
  std::uint64_t count_ = 0;
  std::exception_ptr first_;
  bool out_of_memory_ = false;
  std::vector<std::string> texts_;
};

}  // namespace heddle::cli
