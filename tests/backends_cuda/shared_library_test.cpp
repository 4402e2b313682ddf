// Libraries loaded when needed: heddle/backends/cuda/shared_library.hpp. Needs no GPU.
#include "heddle/backends/cuda/shared_library.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace heddle::cuda {
namespace {

TEST(SharedLibrary, FindsFunctionsInTheFirstFileThatLoads) {
  SharedLibrary library({"libheddle_none.so.9", "libm.so.6"}, "do something");
  double (*root)(double) = nullptr;
  library.find("sqrt", &root);
  EXPECT_TRUE(library.status().ok()) << library.status().text();
  ASSERT_NE(root, nullptr);
  EXPECT_EQ(root(9), 3);
}

TEST(SharedLibrary, TellsTheFirstFunctionThatIsMissing) {
  SharedLibrary library({"libm.so.6"}, "install another libm");
  void (*function)() = &std::abort;
  library.find("heddle_no_such_function", &function);
  EXPECT_EQ(function, nullptr);
  library.find("heddle_nor_this", &function);
  EXPECT_EQ(library.status().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(library.status().text(), "libm.so.6 has no heddle_no_such_function; install another libm");
}

TEST(SharedLibrary, TellsWhereItLooked) {
  SharedLibrary library({"libheddle_none.so.9", "/nowhere/libheddle_none.so.9"}, "install it");
  void (*function)() = &std::abort;
  library.find("anything", &function);
  EXPECT_EQ(function, nullptr);
  EXPECT_EQ(library.status().text(),
            "none of these could be loaded: libheddle_none.so.9, /nowhere/libheddle_none.so.9; install it");
}

}  // namespace
}  // namespace heddle::cuda
