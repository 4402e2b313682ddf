#include "heddle/device/kernel_failure.hpp"

#include <fmt/format.h>

#include <exception>
#include <string>

namespace HEDDLE_NS {

Status kernel_failure(const CommandView& command) noexcept {
  if (command.kernel() != KernelId::kCustom) {
    return {ErrorKind::kDeviceError, "host memory ran out in a kernel; the rest of its list was skipped"};
  }
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
