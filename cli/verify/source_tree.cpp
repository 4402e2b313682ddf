#include "cli/verify/source_tree.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "cli/system/plain_file.hpp"
#include "cli/system/sha256.hpp"
#include "heddle/error.hpp"
#include "heddle/version.hpp"
#include "heddle_build_id.hpp"

namespace heddle::cli {
namespace {

constexpr const char* kBuildIdScript = "cmake/build_id.sh";
constexpr std::array kInputs = {"CMakeLists.txt", "cmake", "include", "src", "cli", "check"};  // as in the script

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

[[noreturn]] void throw_not_ours(const std::filesystem::path& tree, const std::string& what) {
  throw Error(ErrorKind::kUnsupported,
              fmt::format("the source tree {} holds {}; allowed: one of heddle", tree.string(), what));
}

// Adds the regular files at and below `input`, by their names from the tree.
void add_files(const std::filesystem::path& tree, const std::string& input, std::vector<std::string>& files) {
  std::error_code error;
  const auto status = std::filesystem::symlink_status(tree / input, error);
  if (std::filesystem::is_regular_file(status)) files.push_back(input);
  if (files.size() > kSourceFilesMost) throw_not_ours(tree, fmt::format("more than {} files", kSourceFilesMost));
  if (!std::filesystem::is_directory(status)) return;
  std::filesystem::directory_iterator entry(tree / input, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    add_files(tree, input + "/" + entry->path().filename().string(), files);
  }
}

}  // namespace

std::filesystem::path own_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

bool is_source_tree(const std::filesystem::path& folder) {
  std::error_code error;
  return std::filesystem::exists(folder / kBuildIdScript, error) &&
         std::filesystem::exists(folder / "include/heddle/heddle.hpp", error);
}

std::optional<std::filesystem::path> find_source_tree(const std::filesystem::path& start) {
  for (std::filesystem::path folder = start; folder.has_relative_path(); folder = folder.parent_path()) {
    if (is_source_tree(folder)) return folder;
  }
  return std::nullopt;
}

std::string source_digest(const std::filesystem::path& tree) {
  std::vector<std::string> files;
  for (const char* input : kInputs) add_files(tree, input, files);
  std::sort(files.begin(), files.end());
  Sha256 all;
  std::size_t total = 0;
  for (const std::string& file : files) {
    Sha256 one;
    const auto add = [&](std::string_view bytes) {
      total += bytes.size();
      if (total > kSourceBytesMost) throw_not_ours(tree, fmt::format("more than {} bytes", kSourceBytesMost));
      one.add(bytes);
    };
    if (!read_plain_file(tree / file, add)) continue;
    all.add(one.digest() + "  " + file + "\n");
  }
  return all.digest();
}

std::string build_of_sources(const std::filesystem::path& tree) {
  const std::string digest = source_digest(tree);
  return digest == HEDDLE_SOURCE_DIGEST ? std::string(build_id()) : "src-" + digest.substr(0, 12);
}

bool names_symbol(const std::filesystem::path& tree, const std::string& file, std::string_view symbol) {
  std::string text;
  read_plain_file(tree / file, [&text](std::string_view bytes) { text += bytes; });
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = std::string_view(text).substr(start, end - start);
    if (names(line.substr(0, line.find("//")), symbol)) return true;
    start = end + 1;
  }
  return false;
}

}  // namespace heddle::cli
