// Must turn ThreadSanitizer red: two queues write the same memory, and nothing orders them.
#include <cstdio>
#include <memory>
#include <thread>

#include "heddle/backends/cpu/open.hpp"

int main() {
  std::unique_ptr<heddle::Device> device;
  heddle::open_cpu({2, heddle::CpuKernels::kPortable}, &device).raise();
  constexpr std::size_t kCount = 1 << 20;
  void* memory = nullptr;
  device->allocate_segment(kCount * sizeof(float), &memory).raise();
  {
    std::unique_ptr<heddle::Queue> queues[2];
    for (unsigned i = 0; i < 2; ++i) device->create_queue(heddle::StreamId{i}, &queues[i]).raise();
    for (std::uint64_t round = 1; round <= 20; ++round) {
      for (auto& queue : queues) {
        heddle::CommandList list;
        list.append(heddle::KernelId::kFill, heddle::FillArgs{memory, kCount, round});
        device->submit(*queue, std::move(list), heddle::Ticket{round}, heddle::SubmitHint::kAsynchronous).raise();
      }
    }
    for (auto& queue : queues) {
      while (queue->completed().value < 20) std::this_thread::yield();
    }
  }
  device->release_segment(memory, kCount * sizeof(float));
  std::puts("the planted cross-stream write was not seen");
}
