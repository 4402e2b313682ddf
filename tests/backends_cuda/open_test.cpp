// Opening the device, and its memory: heddle/backends/cuda/open.hpp, heddle/backends/cuda/pages/page_source.hpp.
// Most needs no GPU.
#include "heddle/backends/cuda/open.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "backends_cuda/gpu.hpp"

namespace heddle::test {
namespace {

TEST(CudaOpen, WithoutADeviceTheErrorSaysWhatIsMissing) {
  if (no_gpu().empty()) GTEST_SKIP() << "there is a device";
  std::unique_ptr<Device> device;
  const Status status = open_cuda({}, &device);
  EXPECT_EQ(status.kind(), ErrorKind::kInvalidArgument);
  const std::string text(status.text());
  EXPECT_NE(text.find("built in"), std::string::npos) << text;
  EXPECT_EQ(device, nullptr);
}

// The toolkit has a libcuda.so to link against, which is no driver. The loader's path is read when a process starts.
TEST(CudaOpen, TheToolkitsStubIsToldFromADriver) {
  namespace fs = std::filesystem;
  const fs::path stub = fs::path(HEDDLE_CUDA_STUBS) / "libcuda.so";
  if (!fs::exists(stub)) GTEST_SKIP() << "no " << stub;
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  // The process that ends runs this test from its beginning, too: it uses, and leaves, the folder of the one that
  // waits.
  constexpr const char* kFolder = "HEDDLE_TEST_STUB_FOLDER";
  const char* const given = std::getenv(kFolder);
  const fs::path folder =
      given != nullptr ? fs::path(given) : fs::path(testing::TempDir()) / fmt::format("heddle_stub_{}", getpid());
  if (given == nullptr) {
    fs::remove_all(folder);  // of an earlier process with this number
    fs::create_directories(folder);
    fs::create_symlink(stub, folder / "libcuda.so.1");
    ASSERT_EQ(setenv(kFolder, folder.c_str(), 1), 0);
  }
  const char* const set = std::getenv("LD_LIBRARY_PATH");
  const std::string before = set != nullptr ? set : "";
  ASSERT_EQ(setenv("LD_LIBRARY_PATH", (folder.string() + ":" + before).c_str(), 1), 0);
  EXPECT_EXIT(
      {
        std::unique_ptr<Device> device;
        std::fputs(std::string(open_cuda({}, &device).text()).c_str(), stderr);
        std::exit(device == nullptr ? 0 : 1);
      },
      testing::ExitedWithCode(0), "the toolkit's stub and no driver");
  if (set != nullptr) {
    setenv("LD_LIBRARY_PATH", before.c_str(), 1);
  } else {
    unsetenv("LD_LIBRARY_PATH");
  }
  unsetenv(kFolder);
  fs::remove_all(folder);
}

TEST(CudaOpen, AMistypedIndexIsRefused) {
  for (const char* name : {"cuda:", "cuda:x", "cuda:-1", "cuda:1:2", "cudas"}) {
    Options options;
    options.device = name;
    EXPECT_THROW(Runtime runtime(options), InvalidArgument) << name;
  }
}

class CudaMemory : public Gpu, public testing::WithParamInterface<CudaPages> {};

TEST_P(CudaMemory, SegmentsAreUsableAndGivenBack) {
  std::unique_ptr<Device> device;
  ASSERT_TRUE(open_cuda({.index = 0, .matmul = CudaMatmul::kFull, .pages = GetParam()}, &device).ok());
  EXPECT_EQ(device->info().segment_granule, std::size_t{2} << 20);
  const std::size_t bytes = std::size_t{512} << 20;
  const std::size_t before = device->memory_info().free_bytes;
  void* first = nullptr;
  for (int round = 0; round < 4; ++round) {
    void* segment = nullptr;
    ASSERT_TRUE(device->allocate_segment(bytes, &segment).ok());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(segment) % 4096, 0U);
    if (first == nullptr) first = segment;
    if (GetParam() == CudaPages::kVirtual) {
      EXPECT_EQ(segment, first) << "the lowest addresses, each time";
    }
    EXPECT_LE(device->memory_info().free_bytes, before - bytes / 2);
    ASSERT_EQ(cudaMemset(segment, 0x5A, bytes), cudaSuccess);
    std::uint8_t last = 0;
    ASSERT_EQ(cudaMemcpy(&last, static_cast<std::byte*>(segment) + bytes - 1, 1, cudaMemcpyDeviceToHost), cudaSuccess);
    EXPECT_EQ(last, 0x5A);
    device->release_segment(segment, bytes);
  }
  EXPECT_GE(device->memory_info().free_bytes + (std::size_t{64} << 20), before) << "nothing is kept";
  void* segment = nullptr;
  const Status refused = device->allocate_segment(std::size_t{1} << 45, &segment);
  EXPECT_EQ(refused.kind(), ErrorKind::kOutOfMemory) << refused.text();
  EXPECT_EQ(segment, nullptr);
}

TEST_P(CudaMemory, TheLoopRunsOnIt) {
  Options options = cuda_options();
  options.cuda_pages = GetParam();
  Runtime runtime(options);
  const Tensor x = full(runtime, {100, 100}, 1.0F);
  EXPECT_EQ(sum(matmul(x, x)).item(), 1e6F);
}

INSTANTIATE_TEST_SUITE_P(Pages, CudaMemory, testing::Values(CudaPages::kVirtual, CudaPages::kPool, CudaPages::kPlain),
                         [](const auto& pages) {
                           return pages.param == CudaPages::kVirtual ? "Virtual"
                                  : pages.param == CudaPages::kPool  ? "Pool"
                                                                     : "Plain";
                         });

using CudaOpened = Gpu;

TEST_F(CudaOpened, ADeviceThatIsNotThereIsRefused) {
  Options options;
  options.device = "cuda:1000";
  try {
    Runtime runtime(options);
    ADD_FAILURE();
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find("1000 does not exist; allowed: 0"), std::string::npos) << error.what();
  }
}

TEST_F(CudaOpened, ALimitAboveTheDeviceIsRefused) {
  Options options = cuda_options();
  options.memory_limit = std::uint64_t{1} << 50;
  EXPECT_THROW(Runtime runtime(options), InvalidArgument);
}

TEST_F(CudaOpened, AllocatingAndRecordingCallNoDriver) {
  Runtime runtime(cuda_options());
  const Tensor x = full(runtime, {300, 300}, 1.0F);
  const auto work = [&] {
    for (int i = 0; i < 10; ++i) {
      const Tensor small = add(x, x);
      const Tensor product = matmul(small, x);
      const Tensor total = sum(product);
      const Tensor large = allocate_tensor(runtime.core(), Recording(runtime.core().pool()).lane(), {1 << 22});
    }
  };
  work();
  runtime.synchronize();
  const std::uint64_t before = cuda_calls_made();
  work();
  EXPECT_EQ(cuda_calls_made(), before);
  runtime.synchronize();
  EXPECT_GT(cuda_calls_made(), before) << "they are counted";
}

TEST_F(CudaOpened, EveryDeviceIsNamed) {
  int count = 0;
  ASSERT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  const std::vector<CudaDeviceName> devices = cuda_devices();
  ASSERT_EQ(devices.size(), static_cast<std::size_t>(count));
  Runtime runtime(cuda_options());
  EXPECT_EQ(devices[0].name, runtime.device_info().name);
  EXPECT_EQ(devices[0].memory_bytes, runtime.device_info().memory_bytes);
}

TEST(CudaOpen, WithoutADeviceNoneIsNamed) {
  if (no_gpu().empty()) GTEST_SKIP() << "there is a device";
  EXPECT_TRUE(cuda_devices().empty());
}

TEST_F(CudaOpened, SaysWhatItIs) {
  Runtime runtime(cuda_options());
  const DeviceInfo& info = runtime.device_info();
  EXPECT_EQ(info.backend, "cuda");
  EXPECT_FALSE(info.announces);
  EXPECT_FALSE(info.host_accessible);
  EXPECT_GT(info.memory_bytes, std::size_t{1} << 30);
  EXPECT_NE(info.kernels.find("cuBLASLt"), std::string::npos) << info.kernels;
  EXPECT_NE(info.kernels.find("connections"), std::string::npos) << info.kernels;
}

}  // namespace
}  // namespace heddle::test
