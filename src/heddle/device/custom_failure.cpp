#include "heddle/device/custom_failure.hpp"

#include <fmt/format.h>

#include <exception>
#include <string>

namespace HEDDLE_NS {

Status custom_failure(const CommandView& command) noexcept {
  const std::string& name = command.args<CustomArgs>().command->name;
  try {
    throw;
  } catch (const std::exception& error) {
    return {ErrorKind::kDeviceError, [&] {
              return fmt::format("custom operation '{}' threw: {}; the rest of its list was skipped", name,
                                 error.what());
            }};
  } catch (...) {
    return {ErrorKind::kDeviceError, [&] {
              return fmt::format(
                  "custom operation '{}' threw something that is no std::exception; the rest of its "
                  "list was skipped",
                  name);
            }};
  }
}

}  // namespace HEDDLE_NS
