// The loop in libtorch on the GPU, at its best in eager mode: a generator and a stream per thread, InferenceMode.
// Usage: libtorch_cuda_loop SIZE THREADS SYNC_EVERY SECONDS; prints iterations per second and CPU seconds per million.
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <sys/resource.h>
#include <torch/torch.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: libtorch_cuda_loop SIZE THREADS SYNC_EVERY SECONDS\n");
    return 2;
  }
  const long size = std::atol(argv[1]);
  const int threads = std::atoi(argv[2]), every = std::atoi(argv[3]);
  const auto length = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(argv[4])));
  at::set_num_threads(1);
  torch::randn({2, 2}, torch::kCUDA);
  std::barrier<> meeting(threads + 1);
  std::atomic<long long> total{0};
  Clock::time_point start;
  std::vector<std::thread> crew;
  for (int t = 0; t < threads; ++t) {
    crew.emplace_back([&, t] {
      const c10::InferenceMode inference;
      const auto stream = c10::cuda::getStreamFromPool(false, 0);
      const c10::cuda::CUDAStreamGuard guard(stream);
      const auto options = torch::TensorOptions().device(torch::kCUDA, 0);
      auto generator = at::cuda::detail::createCUDAGenerator(0);
      generator.set_current_seed(1234 + static_cast<std::uint64_t>(t));
      std::vector<torch::Tensor> kept;
      const auto list = [&](int count) {
        kept.clear();
        for (int i = 0; i < count; ++i) {
          const auto x = torch::randn({size, size}, generator, options);
          kept.push_back(torch::matmul(x, x).sum());
        }
        stream.synchronize();
      };
      for (int i = 0; i < 2; ++i) list(40);
      meeting.arrive_and_wait();
      meeting.arrive_and_wait();
      long long done = 0;
      do {
        list(every);
        done += every;
      } while (Clock::now() < start + length);
      total += done;
      meeting.arrive_and_wait();
    });
  }
  meeting.arrive_and_wait();
  const double cpu = cpu_seconds();
  start = Clock::now();
  meeting.arrive_and_wait();
  meeting.arrive_and_wait();
  const double spent = std::chrono::duration<double>(Clock::now() - start).count();
  const double iterations = static_cast<double>(total.load());
  std::printf("libtorch N=%ld threads=%d every=%d: %.0f iterations/s, %.1f CPU s per million\n", size, threads, every,
              iterations / spent, (cpu_seconds() - cpu) / iterations * 1e6);
  std::fflush(stdout);
  _exit(0);  // skips static destructors, which have nothing to report
}
