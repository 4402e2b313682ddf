// Virtual memory: addresses are reserved once; a segment is physical memory mapped at the lowest free addresses.
// Releasing a segment unmaps it and waits for no stream. Nothing is kept: released memory returns to the device, so the
// budget above is exact.
#include <cuda_runtime_api.h>

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"
#include "heddle/backends/cuda/pages/address_space.hpp"
#include "heddle/backends/cuda/pages/page_source.hpp"
#include "heddle/sync/mutex.hpp"

namespace HEDDLE_NS::cuda {

namespace {

// Addresses are free: enough of them that gaps between segments never matter.
constexpr std::size_t kAddressesPerByte = 4;

class VirtualPages final : public PageSource {
 public:
  VirtualPages(int device, const Driver& driver, std::size_t granule, CUdeviceptr base, std::size_t bytes)
      : device_(device), driver_(driver), granule_(granule), base_(base), bytes_(bytes), space_(base, bytes) {}

  ~VirtualPages() override {
    const CurrentDevice current(device_);
    driver_.address_free(base_, bytes_);
  }

  Status acquire(std::size_t bytes, void** out) override {
    const CurrentDevice current(device_);
    const std::size_t whole = whole_granules(bytes, granule_);
    CUmemGenericAllocationHandle handle = 0;
    CUmemAllocationProp properties = allocation_properties(device_);
    Status status = driver_call("cuMemCreate", [&] { return driver_.create(&handle, whole, &properties, 0); });
    if (!status.ok()) return status;
    const CUdeviceptr address = take(whole);
    if (address == 0) {
      driver_.release(handle);
      return {ErrorKind::kOutOfMemory, "the reserved range of device addresses is used up"};
    }
    status = driver_call("cuMemMap", [&] { return driver_.map(address, whole, 0, handle, 0); });
    if (status.ok()) {
      CUmemAccessDesc access{};
      access.location = properties.location;
      access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
      status = driver_call("cuMemSetAccess", [&] { return driver_.set_access(address, whole, &access, 1); });
      if (!status.ok()) driver_.unmap(address, whole);
    }
    // The mapping keeps the memory alive: without the handle, unmapping alone releases it.
    driver_.release(handle);
    if (!status.ok()) {
      give(address, whole);
      return status;
    }
    *out = reinterpret_cast<void*>(address);
    return {};
  }

  void release(void* segment, std::size_t bytes) noexcept override {
    const CurrentDevice current(device_);
    const std::size_t whole = whole_granules(bytes, granule_);
    const auto address = reinterpret_cast<CUdeviceptr>(segment);
    // On a lost device this fails, and the addresses must not be reused.
    if (driver_.unmap(address, whole) == CUDA_SUCCESS) give(address, whole);
  }

  std::size_t granule() const noexcept override { return granule_; }
  std::string name() const override { return "virtual memory"; }

  static CUmemAllocationProp allocation_properties(int device) {
    CUmemAllocationProp properties{};
    properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    properties.location.id = device;
    return properties;
  }

 private:
  template <class Function>
  Status driver_call(const char* name, const Function& function) const {
    CUresult result = CUDA_SUCCESS;
    const cudaError_t planted = attempt([&] {
      result = function();
      return cudaSuccess;
    });
    return planted != cudaSuccess ? to_status(planted, name) : driver_.status(result, name);
  }

  CUdeviceptr take(std::size_t bytes) noexcept {
    sync::MutexLock lock(mutex_);
    return space_.take(bytes);
  }
  void give(CUdeviceptr address, std::size_t bytes) noexcept {
    sync::MutexLock lock(mutex_);
    space_.give(address, bytes);
  }

  const int device_;
  const Driver& driver_;
  const std::size_t granule_;
  const CUdeviceptr base_;
  const std::size_t bytes_;
  sync::Mutex mutex_{Rank::kPageSource};
  AddressSpace space_ HEDDLE_GUARDED_BY(mutex_);
};

}  // namespace

Status open_virtual_pages(int device, std::size_t device_bytes, std::unique_ptr<PageSource>* out) {
  const Driver* loaded = nullptr;
  Status status = Driver::load(&loaded);
  if (!status.ok()) return status;
  const Driver& driver = *loaded;
  int supported = 0;
  status = driver.status(driver.attribute(&supported, CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED, device),
                         "cuDeviceGetAttribute");
  if (!status.ok()) return status;
  if (supported == 0) {
    return {ErrorKind::kUnsupported,
            "the device has no virtual memory management; set HEDDLE_CUDA_PAGES to pool or plain"};
  }
  const CUmemAllocationProp properties = VirtualPages::allocation_properties(device);
  std::size_t granule = 0;
  status = driver.status(driver.granularity(&granule, &properties, CU_MEM_ALLOC_GRANULARITY_MINIMUM),
                         "cuMemGetAllocationGranularity");
  if (!status.ok()) return status;
  const std::size_t bytes = whole_granules(device_bytes * kAddressesPerByte, granule);
  CUdeviceptr base = 0;
  status = driver.status(driver.address_reserve(&base, bytes, 0, 0, 0), "cuMemAddressReserve");
  if (!status.ok()) return status;
  try {
    *out = std::make_unique<VirtualPages>(device, driver, granule, base, bytes);
  } catch (...) {
    driver.address_free(base, bytes);
    throw;
  }
  return {};
}

}  // namespace HEDDLE_NS::cuda
