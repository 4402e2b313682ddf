// Code that calls CUDA itself beside Heddle: memory of its own as a tensor, and work of its own on Heddle's stream.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <vector>

#include "heddle/heddle.hpp"

int main() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    std::puts("skipped: no CUDA device");
    return 77;
  }
  heddle::Options options;
  options.device = "cuda";
  heddle::Runtime runtime(options);
  heddle::Lease lease = runtime.lease();  // names the stream that this thread records on
  const auto stream = static_cast<cudaStream_t>(lease.native_handle());

  constexpr std::int64_t kCount = 1 << 20;
  void* mine = nullptr;
  if (cudaMalloc(&mine, kCount * sizeof(float)) != cudaSuccess) return 1;
  // On the lease's stream, so what Heddle records next runs after it.
  if (cudaMemsetAsync(mine, 0, kCount * sizeof(float), stream) != cudaSuccess) return 1;
  auto x = heddle::Tensor::from_external(runtime, mine, {kCount}, {}, [mine] { cudaFree(mine); });
  auto y = heddle::add(x, heddle::full(runtime, {kCount}, 2.0F));
  lease.commit();  // y's command is on the stream from here on
  float first = 0;
  if (cudaMemcpyAsync(&first, y.data(), sizeof(first), cudaMemcpyDeviceToHost, stream) != cudaSuccess) return 1;
  if (cudaStreamSynchronize(stream) != cudaSuccess) return 1;
  std::printf("%g\n", static_cast<double>(first));
  return first == 2.0F ? 0 : 1;
}
