// The fast path of a release build holds no locked instruction and no exchange with memory: read from its code.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <regex>
#include <string>

#include "heddle/memory/buffer.hpp"
#include "memory/memory_fixture.hpp"

namespace heddle {
namespace {

#if defined(__OPTIMIZE__) && !HEDDLE_DEBUG_CHECKS && defined(__x86_64__)

std::string disassembly(const char* function) {
  const std::string command = std::string("objdump -dC --no-show-raw-insn /proc/") + std::to_string(getpid()) +
                              "/exe 2>/dev/null | awk '/^[0-9a-f]+ <.*" + function +
                              "/ {inside = 1} /^$/ {inside = 0} inside'";
  FILE* const output = popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> part{};
  for (std::size_t got = 0; (got = fread(part.data(), 1, part.size(), output)) > 0;) text.append(part.data(), got);
  pclose(output);
  return text;
}

std::size_t locked(const std::string& code) {
  std::size_t found = 0;
  for (std::size_t begin = 0, end = 0; (end = code.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = code.substr(begin, end - begin);
    static const std::regex locks(R"(:\s+(lock |mfence|xchg .*\(%))");
    if (std::regex_search(line, locks)) ++found;
  }
  return found;
}

TEST(FastPath, HoldsNoLockedInstruction) {
  TestMemory test;
  const Buffer keep_linked = test.make(1);
  for (const char* function :
       {"Buffer::create\\(", "Buffer::release\\(", "Heap::take_span_again\\(", "Heap::give_slowly\\("}) {
    const std::string code = disassembly(function);
    ASSERT_GT(code.size(), 200u) << "objdump (package binutils) did not show " << function;
    EXPECT_EQ(locked(code), 0u) << code;
  }
  EXPECT_GT(locked(disassembly("Buffer::release_shared\\(")), 0u) << "the test can see one where there is one";
}

#else

TEST(FastPath, HoldsNoLockedInstruction) { GTEST_SKIP() << "the code of a release build for x86-64 is what counts"; }

#endif

}  // namespace
}  // namespace heddle
