#include "random/shrink.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <vector>

namespace heddle::programs {
namespace {

class Shrinker {
 public:
  Shrinker(const std::string& program, std::uint64_t seed, const std::string& device, int times, int most)
      : program_(program), seed_(seed), device_(device), times_(times), most_(most) {}

  bool fails(const Cut& cut) {
    ++attempts_;
    Plan plan;
    plan.seed = seed_;
    plan.device = device_;
    plan.cut = cut;
    std::vector<std::string> words{program_, fmt::format("--most={}", most_)};
    const std::string command = plan.command(times_);
    for (std::size_t at = command.find(' '); at != std::string::npos;) {
      const std::size_t end = command.find(' ', at + 1);
      words.push_back(command.substr(at + 1, end - at - 1));
      at = end;
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int refused = posix_spawn(&child, program_.c_str(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (refused != 0) return false;
    int status = 0;
    waitpid(child, &status, 0);
    return status != 0;
  }
  int attempts() const { return attempts_; }

 private:
  const std::string program_;
  const std::uint64_t seed_;
  const std::string device_;
  const int times_, most_;
  int attempts_ = 0;
};

}  // namespace

Shrunk shrink(const std::string& program, std::uint64_t seed, const std::string& device, const Cut& cut, int times,
              int most) {
  Shrinker shrinker(program, seed, device, times, most);
  const Plan plan = make_plan(seed, device, cut);
  Shrunk result{shrinker.fails(cut), cut, 0};
  if (result.failed) {
    const auto keep_if_failing = [&](Cut smaller) {
      if (!shrinker.fails(smaller)) return false;
      result.cut = smaller;
      return true;
    };
    for (int threads = 1; threads < plan.threads; ++threads) {
      Cut smaller = result.cut;
      smaller.threads = threads;
      if (keep_if_failing(smaller)) break;
    }
    result.cut.steps = plan.steps;
    for (int by = plan.steps / 2; by > 0; by /= 2) {
      for (Cut smaller = result.cut; smaller.steps > by; smaller = result.cut) {
        smaller.steps -= by;
        if (!keep_if_failing(smaller)) break;
      }
    }
    for (int by = result.cut.steps / 2; by > 0; by /= 2) {
      for (Cut smaller = result.cut; smaller.from + by < result.cut.steps; smaller = result.cut) {
        smaller.from += by;
        if (!keep_if_failing(smaller)) break;
      }
    }
  }
  result.attempts = shrinker.attempts();
  return result;
}

}  // namespace heddle::programs
