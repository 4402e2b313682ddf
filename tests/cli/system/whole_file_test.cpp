// Files that the programs write: created exclusively, under unpredictable names, never through a link.
#include "cli/system/whole_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "cli/system/plain_file.hpp"
#include "heddle/error.hpp"

namespace heddle::test {
namespace {

class WholeFileTest : public ::testing::Test {
 protected:
  WholeFileTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~WholeFileTest() override { std::filesystem::remove_all(folder_); }

  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("heddle_whole_" + std::to_string(::getpid()));
  const std::filesystem::path file_ = folder_ / "a.txt";
};

TEST_F(WholeFileTest, AppearsWholeAndLeavesNothingBeside) {
  cli::write_whole_file(file_, "one");
  cli::write_whole_file(file_, "two");
  EXPECT_EQ(text_of(file_), "two");
  EXPECT_EQ(files(), 1U);
}

// As another user could who shares the folder and knows the process id.
TEST_F(WholeFileTest, LinksThatWerePutThereAreNotFollowed) {
  const std::filesystem::path victim = folder_ / "victim";
  std::ofstream(victim) << "precious";
  std::filesystem::create_symlink(victim, file_);
  for (const char* name : {"a.txt", "writable"}) {
    std::filesystem::create_symlink(victim, folder_ / (std::string(name) + "." + std::to_string(::getpid()) + ".part"));
  }
  cli::write_whole_file(file_, "new");
  cli::require_writable_folder(folder_);
  EXPECT_EQ(text_of(victim), "precious");
  EXPECT_EQ(text_of(file_), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(file_)) << "the link itself was replaced";
}

TEST_F(WholeFileTest, ANameOfTheGreatestLengthIsWritten) {
  const std::filesystem::path longest = folder_ / std::string(255, 'a');
  cli::write_whole_file(longest, "text");
  EXPECT_EQ(text_of(longest), "text");
}

TEST_F(WholeFileTest, WhatCannotBeWrittenIsNamed) {
  for (const std::filesystem::path& bad :
       {folder_ / std::string(256, 'a'), folder_ / "nowhere" / "a", std::filesystem::path("/proc/a")}) {
    EXPECT_THROW(cli::write_whole_file(bad, "text"), cli::PathRefused) << bad;
  }
  std::filesystem::create_directories(file_);
  EXPECT_THROW(cli::write_whole_file(file_, "text"), Error);
  EXPECT_EQ(files(), 1U) << "no other file is left";
}

TEST_F(WholeFileTest, OnlyRegularFilesAreRead) {
  const auto reads = [](const std::filesystem::path& path) {
    return cli::read_plain_file(path, [](std::string_view) {});
  };
  std::ofstream(file_) << "text";
  EXPECT_TRUE(reads(file_));
  std::filesystem::create_symlink(file_, folder_ / "link");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  for (const std::filesystem::path& other : {folder_ / "link", folder_ / "pipe", folder_, folder_ / "nothing"}) {
    EXPECT_FALSE(reads(other)) << other;
  }
  EXPECT_FALSE(reads("/dev/zero"));
}

}  // namespace
}  // namespace heddle::test
