// Entered: every primitive begins with one. It holds the execution of the calling thread, or none; while it lives,
// ThreadSanitizer ignores memory accesses (core/sanitizer.hpp), so no user code runs meanwhile.
#pragma once

#include <cstddef>

#include "heddle_check/core/execution.hpp"
#include "heddle_check/core/sanitizer.hpp"

namespace heddle_check {

class Entered {
 public:
  Entered() noexcept : execution_(Execution::current()) {}
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

  Execution* operator->() const noexcept { return execution_; }
  Execution& operator*() const noexcept { return *execution_; }
  explicit operator bool() const noexcept { return execution_ != nullptr; }
  bool operator==(std::nullptr_t) const noexcept { return execution_ == nullptr; }

 private:
  [[no_unique_address]] sanitizer::LookAway look_away_;
  Execution* const execution_;
};

}  // namespace heddle_check
