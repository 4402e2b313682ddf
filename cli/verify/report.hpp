// How a round is shown: as JSON and as Markdown, made from the same result.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "cli/verify/verify.hpp"

namespace heddle::cli {

// `clean`: clean rounds in a row of this build, this one included.
Json round_json(const RoundResult& result, std::size_t clean);
std::string round_markdown(const RoundResult& result, std::size_t clean);

// Writes DIR/round-0007.json and .md: each appears whole or not at all. Throws Error.
void write_reports(const std::filesystem::path& folder, const RoundResult& result, std::size_t clean);

}  // namespace heddle::cli
