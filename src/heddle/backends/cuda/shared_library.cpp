#include "heddle/backends/cuda/shared_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace HEDDLE_NS::cuda {

SharedLibrary::SharedLibrary(std::initializer_list<std::string> files, std::string remedy)
    : remedy_(std::move(remedy)) {
  for (const std::string& file : files) {
    library_ = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr) continue;
    file_ = file;
    return;
  }
  status_ = {ErrorKind::kUnsupported, fmt::format("none of these could be loaded: {}; {}",
                                                  fmt::join(files.begin(), files.end(), ", "), remedy_)};
}

void* SharedLibrary::address_of(const char* name) {
  if (library_ == nullptr) return nullptr;
  void* const found = dlsym(library_, name);
  if (found == nullptr && status_.ok()) {
    status_ = {ErrorKind::kUnsupported, fmt::format("{} has no {}; {}", file_, name, remedy_)};
  }
  return found;
}

}  // namespace HEDDLE_NS::cuda
