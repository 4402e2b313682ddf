// Tests in a process of their own, for what cannot be taken back: a sandbox, a limit, a group, another /proc.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>

namespace heddle::test {

inline constexpr int kWrong = 1, kSkipped = 77;

// In that process: ends it as failed, unless it holds.
inline void require(bool holds, const std::string& what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what.c_str());
  std::_Exit(kWrong);
}

// In that process: the system does not let it do what the test needs.
[[noreturn]] inline void skip() { std::_Exit(kSkipped); }

// Runs `body` in a child. It must return, or skip(), and say nothing. The test is skipped where it does.
inline void in_own_process(const std::function<void()>& body) {
  const auto run = [&] {
    try {
      body();
    } catch (const std::exception& error) {
      require(false, std::string("no exception: ") + error.what());
    }
    std::_Exit(0);
  };
  int code = -1;
  EXPECT_EXIT(
      run(),
      [&code](int status) {
        code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return code == 0 || code == kSkipped;
      },
      "^$");
  if (code == kSkipped) GTEST_SKIP() << "the system does not let this process have what the test needs";
}

}  // namespace heddle::test
