#include "cli/source_tree.hpp"

#include <fmt/core.h>

#include <cctype>
#include <chrono>
#include <fstream>

#include "cli/subprocess.hpp"
#include "heddle/base/error.hpp"

namespace heddle::cli {
namespace {

constexpr const char* kBuildIdScript = "cmake/build_id.sh";
constexpr std::chrono::seconds kScriptMost{60};

bool continues_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Whether `symbol` stands in `line` as a whole name.
bool names(std::string_view line, std::string_view symbol) {
  for (std::size_t at = line.find(symbol); at != std::string_view::npos; at = line.find(symbol, at + 1)) {
    const bool begins = at == 0 || !continues_name(line[at - 1]);
    const std::size_t end = at + symbol.size();
    if (begins && (end == line.size() || !continues_name(line[end]))) return true;
  }
  return false;
}

}  // namespace

std::filesystem::path own_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

bool is_source_tree(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / kBuildIdScript, error) &&
         std::filesystem::exists(folder / "src/heddle/heddle.hpp", error);
}

std::optional<std::filesystem::path> find_source_tree(const std::filesystem::path& start) {
  for (std::filesystem::path folder = start; folder.has_relative_path(); folder = folder.parent_path()) {
    if (is_source_tree(folder)) return folder;
  }
  return std::nullopt;
}

std::string source_build_id(const std::filesystem::path& tree) {
  const ProcessResult result = run_process({"/bin/sh", tree / kBuildIdScript, tree}, kScriptMost);
  std::string id = result.out.substr(0, result.out.find('\n'));
  if (result.signal != 0 || result.exit_code != 0 || id.empty()) {
    throw Error(ErrorKind::kUnsupported,
                fmt::format("{} gave no build id: {}: {}", (tree / kBuildIdScript).string(), result.ended(),
                            result.error_tail.substr(0, result.error_tail.find('\n'))));
  }
  return id;
}

bool names_symbol(const std::filesystem::path& tree, const std::string& file, std::string_view symbol) {
  std::ifstream stream(tree / file);
  std::string line;
  while (std::getline(stream, line)) {
    if (names(std::string_view(line).substr(0, line.find("//")), symbol)) return true;
  }
  return false;
}

}  // namespace heddle::cli
