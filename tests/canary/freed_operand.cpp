// Must turn AddressSanitizer red: a command reads an operand that was freed before the list ran.
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "heddle/backends/cpu/open.hpp"

int main() {
  std::unique_ptr<heddle::Device> device;
  heddle::open_cpu({1, heddle::CpuKernels::kPortable}, &device).raise();
  {
    std::unique_ptr<heddle::Queue> queue;
    device->create_queue(heddle::StreamId{1}, &queue).raise();
    auto operand = std::make_unique<std::vector<float>>(1000, 1.0f);
    std::vector<float> result(1000);
    heddle::CommandList list;
    list.append(heddle::KernelId::kCopyBytes, heddle::CopyBytesArgs{result.data(), operand->data(), 4000});
    operand.reset();
    device->submit(*queue, std::move(list), heddle::Ticket{1}, heddle::SubmitHint::kAsynchronous).raise();
    while (queue->completed().value < 1) std::this_thread::yield();
  }
  std::puts("the planted freed operand was not seen");
}
