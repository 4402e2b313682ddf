// Pairs of allocate and free with PyTorch's caching allocator, one stream per thread. Usage: libtorch_cuda_alloc BYTES
// THREADS SECONDS; prints all threads' pairs per second.
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/torch.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  if (argc != 4) {
    std::fprintf(stderr, "usage: libtorch_cuda_alloc BYTES THREADS SECONDS\n");
    return 2;
  }
  namespace allocator = c10::cuda::CUDACachingAllocator;
  const std::size_t bytes = std::strtoull(argv[1], nullptr, 10);
  const int threads = std::atoi(argv[2]);
  const auto length = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(argv[3])));
  torch::zeros({1}, torch::kCUDA);
  std::barrier<> meeting(threads + 1);
  std::atomic<long long> total{0};
  std::vector<std::thread> crew;
  for (int t = 0; t < threads; ++t) {
    crew.emplace_back([&] {
      const auto stream = c10::cuda::getStreamFromPool(false, 0);
      const auto pair = [&] { allocator::raw_delete(allocator::raw_alloc_with_stream(bytes, stream.stream())); };
      for (int i = 0; i < 100; ++i) pair();
      meeting.arrive_and_wait();
      const auto end = Clock::now() + length;
      long long done = 0;
      for (; Clock::now() < end; done += 64) {
        for (int i = 0; i < 64; ++i) pair();
      }
      total += done;
      meeting.arrive_and_wait();
    });
  }
  meeting.arrive_and_wait();
  const auto start = Clock::now();
  meeting.arrive_and_wait();
  const double spent = std::chrono::duration<double>(Clock::now() - start).count();
  std::printf("libtorch %zu bytes, %d threads: %.0f pairs/s\n", bytes, threads,
              static_cast<double>(total.load()) / spent);
  std::fflush(stdout);
  _exit(0);  // skips static destructors, which have nothing to report
}
