// SharedLibrary: a library that is loaded on demand, and its functions by name: programs start without it.
//
// Never unloaded: its code may still run when the process ends. Thread safety: none; used while a table of functions is
// filled, which is immutable afterwards.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

class SharedLibrary {
 public:
  // Loads the first of `files` that the loader accepts. `remedy`: what to do if all are refused, or functions are
  // missing.
  SharedLibrary(std::initializer_list<std::string> files, std::string remedy);

  // Null if the library has no such function; status() names the first missing one.
  template <class Function>
  void find(const char* name, Function* out) {
    void* const found = address_of(name);
    std::memcpy(out, &found, sizeof(found));
  }
  // kUnsupported if the library or one of its functions was not found.
  const Status& status() const noexcept { return status_; }

 private:
  void* address_of(const char* name);

  void* library_ = nullptr;
  std::string file_;  // for messages
  const std::string remedy_;
  Status status_;
};

}  // namespace HEDDLE_NS::cuda
