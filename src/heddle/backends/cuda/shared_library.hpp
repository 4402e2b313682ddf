// SharedLibrary: a library that is loaded when it is needed, and its functions by name: programs start without it.
//
// Never unloaded: work may still run in it when the process ends. Thread safety: none; used while a table of functions
// is filled, which is immutable afterwards.
#pragma once

#include <cstring>
#include <initializer_list>
#include <string>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"

namespace HEDDLE_NS::cuda {

class SharedLibrary {
 public:
  // The first of `files` that the loader can load. `remedy`: what to do where all are refused, or functions are
  // missing.
  SharedLibrary(std::initializer_list<std::string> files, std::string remedy);

  // Null where the library has none of this name; the first such name is told by status().
  template <class Function>
  void find(const char* name, Function* out) {
    void* const found = address_of(name);
    std::memcpy(out, &found, sizeof(found));
  }
  // kUnsupported where the library was not found, or a function in it.
  const Status& status() const noexcept { return status_; }

 private:
  void* address_of(const char* name);

  void* library_ = nullptr;
  std::string file_;  // for messages
  const std::string remedy_;
  Status status_;
};

}  // namespace HEDDLE_NS::cuda
