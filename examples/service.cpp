// A service: eight threads take requests from a line and answer them with completion handlers. No thread waits for the
// device: the handler reads the result, which to_host_async() has copied by then, and answers.
#include <atomic>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "heddle/heddle.hpp"

namespace {

constexpr int kThreads = 8, kRequests = 400, kWidth = 64;

struct Service {
  heddle::Runtime runtime;
  heddle::Tensor weights = heddle::full(runtime, {kWidth, kWidth}, 0.5F);
  std::atomic<int> next = 0, answered = 0, wrong = 0;

  Service() { weights.make_shared_constant(); }  // every stream reads it

  void answer(int request) {
    const auto value = static_cast<float>(request % 7);
    auto x = heddle::full(runtime, {1, kWidth}, value);
    auto y = heddle::relu(heddle::matmul(x, weights));
    // The handler owns the copy: it may be the last to need it.
    auto copy = std::make_shared<heddle::HostCopy>(y.to_host_async());
    runtime.on_complete(
        [this, copy, value](const heddle::Status& status) {
          const bool right = status.ok() && copy->values()[0] == value * 0.5F * kWidth;
          if (!right) ++wrong;
          ++answered;
        },
        {.name = "answer", .executor = nullptr});
  }

  void work() {
    for (int request = next++; request < kRequests; request = next++) answer(request);
  }
};

}  // namespace

int main() {
  Service service;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) threads.emplace_back([&] { service.work(); });
  }
  // Handlers that are pending run before this returns.
  const heddle::ShutdownReport report = service.runtime.shutdown(std::chrono::seconds(10));
  std::printf("%d answered, %d wrong; %s\n", service.answered.load(), service.wrong.load(), report.text().c_str());
  return report.complete && service.answered == kRequests && service.wrong == 0 ? 0 : 1;
}
