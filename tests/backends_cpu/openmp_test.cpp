// The library's kernels run on one thread each, whatever the caller set, and leave the caller's setting alone.
#include <gtest/gtest.h>

#ifdef _OPENMP
#include <omp.h>

#include <thread>

#include "heddle/heddle.hpp"

namespace heddle {
namespace {

TEST(OpenMp, TheCallersThreadCountIsUnchangedByAnyCall) {
  Runtime runtime;
  std::thread([&] {  // the setting is a thread's own
    for (const int threads : {1, 3, 7}) {
      omp_set_num_threads(threads);
      const Tensor x = randn(runtime, {64, 64});
      const Tensor y = linear(matmul(x, x), x, full(runtime, {64}, 1.0f));
      runtime.synchronize();  // runs the list on this thread
      EXPECT_EQ(omp_get_max_threads(), threads);
      EXPECT_EQ(sum(mul(y, zeros(runtime, {1}))).to_host().front(), 0.0f);
      EXPECT_EQ(omp_get_max_threads(), threads);
    }
  })
      .join();
}

}  // namespace
}  // namespace heddle
#endif
