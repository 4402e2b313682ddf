#include "cli/stress/thread_failures.hpp"

#include <new>

#include "heddle/error.hpp"

namespace heddle::cli {
namespace {

// The text of an exception; a fixed one if it has none.
std::string text_of(const std::exception_ptr& exception, bool& out_of_memory) {
  try {
    std::rethrow_exception(exception);
  } catch (const OutOfMemory& error) {
    out_of_memory = true;
    return error.what();
  } catch (const std::bad_alloc&) {
    out_of_memory = true;
    return "host memory ran out";
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

void ThreadFailures::note(std::string_view where, const std::exception_ptr& exception) noexcept {
  bool out_of_memory = false;
  std::string text;
  try {
    text = text_of(exception, out_of_memory);
    if (!where.empty()) text = std::string(where) + ": " + text;
  } catch (...) {
    text.clear();  // counted without it
    out_of_memory = true;
  }
  const std::lock_guard lock(mutex_);
  ++count_;
  if (first_ == nullptr || (out_of_memory && !out_of_memory_)) first_ = exception;
  out_of_memory_ = out_of_memory_ || out_of_memory;
  if (!text.empty() && texts_.size() < texts_.capacity()) texts_.push_back(std::move(text));
}

}  // namespace heddle::cli
