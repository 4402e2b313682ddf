// HEDDLE_* variables, as a runtime reads them when it opens. One per line: NAME=VALUE; all others are unset.
#include "heddle/base/environment.hpp"

#include <unistd.h>

#include <vector>

#include "fuzz/fuzz.hpp"
#include "heddle/error.hpp"
#include "heddle/runtime/open_device.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::vector<std::string> variables;
  for (std::string_view rest = fuzz::text_of(bytes, size); !rest.empty();) {
    variables.push_back("HEDDLE_" + std::string(fuzz::next_part(rest, '\n')));
  }
  std::vector<char*> table;
  for (std::string& variable : variables) table.push_back(variable.data());
  table.push_back(nullptr);
  char** const before = environ;
  environ = table.data();
  heddle::Options options;
  const bool accepted = fuzz::accepts<heddle::InvalidArgument>([&] {
    static_cast<void>(heddle::unknown_environment());
    options = heddle::resolve({});
    options.limits.validate();
  });
  environ = before;
  if (!accepted) return 0;
  fuzz::expect(options.device.has_value() && options.streams.has_value(), "an option is left open");
  fuzz::expect(*options.streams >= 1 && *options.streams <= 4096, "streams out of range");
  return 0;
}
