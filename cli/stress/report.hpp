// How a stress run is shown: as JSON and as text.
#pragma once

#include <string>

#include "cli/stress/stress.hpp"
#include "cli/terminal/json.hpp"

namespace heddle::cli {

const char* check_name(Check check);
const char* inject_name(Inject inject);

Json stress_json(const StressOptions& options, const StressResult& result);
std::string stress_text(const StressOptions& options, const StressResult& result);

}  // namespace heddle::cli
