// Two threads share one runtime. Each records on a stream of its own; a handler hears when its work is done.
#include <atomic>
#include <cstdio>
#include <thread>

#include "heddle/heddle.hpp"

int main() {
  heddle::Runtime runtime;
  std::atomic<int> finished = 0;
  auto work = [&](float value) {
    auto x = heddle::full(runtime, {256, 256}, value);  // recorded, not yet run
    auto total = heddle::sum(heddle::matmul(x, x));
    runtime.on_complete([&](const heddle::Status& status) { finished += status.ok(); });
    std::printf("%g\n", static_cast<double>(total.item()));  // waits for this stream only
  };
  {
    std::jthread one(work, 1.0F);
    std::jthread two(work, 2.0F);
  }
  const heddle::ShutdownReport report = runtime.shutdown();
  return report.complete && finished == 2 ? 0 : 1;
}
