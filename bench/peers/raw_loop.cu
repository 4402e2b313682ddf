// The loop without a library in between: randn, sgemm and sum launched one by one on preallocated memory, with a stream
// and a cuBLAS handle per thread; the host waits by cudaStreamSynchronize. The baseline for heddle's eager loop. Usage:
// raw_loop SIZE THREADS SYNC_EVERY SECONDS; prints iterations per second and CPU seconds per million.
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <sys/resource.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

void check(int error, int line) {
  if (error == 0) return;
  std::fprintf(stderr, "raw_loop: error %d in line %d\n", error, line);
  std::exit(1);
}
#define CHECK(call) check(static_cast<int>(call), __LINE__)

__device__ uint4 philox(uint4 c, uint2 k) {
  for (int i = 0; i < 10; ++i) {
    const unsigned long long a = 0xD2511F53ULL * c.x, b = 0xCD9E8D57ULL * c.z;
    c = make_uint4(static_cast<unsigned>(b >> 32) ^ c.y ^ k.x, static_cast<unsigned>(b),
                   static_cast<unsigned>(a >> 32) ^ c.w ^ k.y, static_cast<unsigned>(a));
    k.x += 0x9E3779B9;
    k.y += 0xBB67AE85;
  }
  return c;
}

__device__ float2 normals(unsigned u, unsigned v) {
  const float r = sqrtf(-2.0F * logf((static_cast<float>(u >> 8) + 1.0F) * 0x1p-24F));
  float s, c;
  sincospif(static_cast<float>(v) * 0x1p-31F, &s, &c);
  return make_float2(r * c, r * s);
}

__global__ void randn(float4* out, int quads, unsigned long long seed, unsigned long long offset) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= quads) return;
  const unsigned long long at = offset + i;
  const uint4 w = philox(make_uint4(static_cast<unsigned>(at), static_cast<unsigned>(at >> 32), 0, 0),
                         make_uint2(static_cast<unsigned>(seed), static_cast<unsigned>(seed >> 32)));
  const float2 a = normals(w.x, w.y), b = normals(w.z, w.w);
  out[i] = make_float4(a.x, a.y, b.x, b.y);
}

__global__ void sum(const float* in, int n, float* out) {
  __shared__ float sums[32];
  float a = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) a += in[i];
  for (int step = 16; step > 0; step /= 2) a += __shfl_down_sync(~0U, a, step);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = a;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  a = threadIdx.x < blockDim.x / 32 ? sums[threadIdx.x] : 0;
  for (int step = 16; step > 0; step /= 2) a += __shfl_down_sync(~0U, a, step);
  if (threadIdx.x == 0) *out = a;
}

class Loop {
 public:
  Loop(int size, unsigned long long seed) : size_(size), seed_(seed) {
    CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
    CHECK(cublasCreate(&blas_));
    CHECK(cublasSetStream(blas_, stream_));
    CHECK(cudaMalloc(&workspace_, kWorkspace));
    CHECK(cublasSetWorkspace(blas_, workspace_, kWorkspace));
    CHECK(cudaMalloc(&x_, static_cast<std::size_t>(size) * size * sizeof(float)));
    CHECK(cudaMalloc(&y_, static_cast<std::size_t>(size) * size * sizeof(float)));
    CHECK(cudaMalloc(&sum_, sizeof(float)));
  }

  void list(int count) {
    const float one = 1, zero = 0;
    const int elements = size_ * size_, quads = elements / 4;
    for (int i = 0; i < count; ++i, ++iteration_) {
      randn<<<(quads + 255) / 256, 256, 0, stream_>>>(reinterpret_cast<float4*>(x_), quads, seed_, iteration_ * quads);
      CHECK(cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, size_, size_, size_, &one, x_, size_, x_, size_, &zero, y_,
                        size_));
      sum<<<1, 1024, 0, stream_>>>(y_, elements, sum_);
    }
    CHECK(cudaStreamSynchronize(stream_));
  }

 private:
  static constexpr std::size_t kWorkspace = std::size_t{4} << 20;
  const int size_;
  const unsigned long long seed_;
  unsigned long long iteration_ = 0;
  cudaStream_t stream_ = nullptr;
  cublasHandle_t blas_ = nullptr;
  void* workspace_ = nullptr;
  float *x_ = nullptr, *y_ = nullptr, *sum_ = nullptr;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: raw_loop SIZE THREADS SYNC_EVERY SECONDS\n");
    return 2;
  }
  setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
  const int size = std::atoi(argv[1]), threads = std::atoi(argv[2]), every = std::atoi(argv[3]);
  const auto length = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(argv[4])));
  std::barrier<> meeting(threads + 1);
  std::atomic<long long> total{0};
  Clock::time_point start;
  std::vector<std::thread> crew;
  for (int t = 0; t < threads; ++t) {
    crew.emplace_back([&, t] {
      Loop loop(size, static_cast<unsigned long long>(t));
      for (int i = 0; i < 2; ++i) loop.list(40);
      meeting.arrive_and_wait();
      meeting.arrive_and_wait();
      long long done = 0;
      do {
        loop.list(every);
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
  std::printf("raw N=%d threads=%d every=%d: %.0f iterations/s, %.1f CPU s per million\n", size, threads, every,
              iterations / spent, (cpu_seconds() - cpu) / iterations * 1e6);
  for (std::thread& thread : crew) thread.join();
  return 0;
}
