// What is said where a device cannot be opened: heddle/backends/cuda/open_errors.hpp. Needs no GPU.
#include "heddle/backends/cuda/open_errors.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace heddle::cuda {
namespace {

void expect_one_line(const Status& status, ErrorKind kind, const char* part) {
  EXPECT_EQ(status.kind(), kind) << status.text();
  const std::string text(status.text());
  EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
}

TEST(CudaOpenErrors, EachWantOfADeviceHasItsOwnLine) {
  EXPECT_TRUE(count_error(cudaSuccess, 13000, nullptr).ok());
  const auto refused = ErrorKind::kInvalidArgument;
  expect_one_line(count_error(cudaErrorNoDevice, 13000, nullptr), refused,
                  "this machine has no NVIDIA device; allowed");
  expect_one_line(count_error(cudaErrorNoDevice, 13000, "7"), refused,
                  "CUDA_VISIBLE_DEVICES='7' shows no NVIDIA device");
  expect_one_line(count_error(cudaErrorInsufficientDriver, 0, nullptr), refused, "no NVIDIA driver; allowed");
  expect_one_line(count_error(cudaErrorStubLibrary, 0, nullptr), refused, "the toolkit's stub and no driver");
  expect_one_line(count_error(cudaErrorInsufficientDriver, 11040, nullptr), refused, "supports CUDA 11.4, this build");
  expect_one_line(count_error(cudaErrorSystemNotReady, 13000, nullptr), ErrorKind::kDeviceError,
                  "cudaErrorSystemNotReady");
}

TEST(CudaOpenErrors, AnIndexThatIsNotThereIsToldWhatIs) {
  expect_one_line(index_error(4, 2), ErrorKind::kInvalidArgument, "cuda device 4 does not exist; allowed: 0 to 1");
  EXPECT_EQ(index_error(1, 1).text(), "cuda device 1 does not exist; allowed: 0");
}

TEST(CudaOpenErrors, ADeviceWithoutAContextIsToldWhatToLookFor) {
  const Status why(ErrorKind::kOutOfMemory, "cuDevicePrimaryCtxRetain: out of memory (2)");
  expect_one_line(context_error(why, 1), ErrorKind::kOutOfMemory,
                  "cuda device 1 has no context for this process: cuDevicePrimaryCtxRetain: out of memory (2); see");
}

TEST(CudaOpenErrors, OnlyWantOfCodeIsToldAsSuch) {
  cudaDeviceProp properties{};
  std::strcpy(properties.name, "Example");
  properties.major = 6;
  properties.minor = 1;
  const Status none = load_error(cudaErrorNoKernelImageForDevice, 3, properties);
  expect_one_line(none, ErrorKind::kUnsupported, "device 3 (Example) has compute capability 6.1");
  expect_one_line(none, ErrorKind::kUnsupported, "CMAKE_CUDA_ARCHITECTURES=61");
  expect_one_line(load_error(cudaErrorMemoryAllocation, 3, properties), ErrorKind::kOutOfMemory, "loading the kernels");
  expect_one_line(load_error(cudaErrorIllegalAddress, 3, properties), ErrorKind::kDeviceLost, "loading the kernels");
}

}  // namespace
}  // namespace heddle::cuda
