// What repeats when a loop records the same again: every word of its lists, also where the host gives data.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "heddle/backends/sim/device.hpp"
#include "heddle/heddle.hpp"
#include "heddle/runtime/lifecycle.hpp"

namespace heddle {
namespace {

class ListRecorder final : public sim::SimDevice {
 public:
  ListRecorder() : SimDevice({.auto_run = true}) {}
  Status submit(Queue& queue, CommandList&& list, Ticket closes, SubmitHint hint) override {
    lists.emplace_back(list.begin(), list.end());
    return SimDevice::submit(queue, std::move(list), closes, hint);
  }
  std::vector<std::vector<std::uint64_t>> lists;
};

TEST(RepeatingLists, UploadsGiveTheSameWordsWhereverTheHostDataLie) {
  auto device = std::make_unique<ListRecorder>();
  ListRecorder& recorder = *device;
  CoreOptions options;
  options.memory.limit = recorder.memory_info().total_bytes;
  const std::shared_ptr<Lifecycle> lifecycle =
      Lifecycle::open(std::shared_ptr<Core>(new Core(std::move(device), options), sync::ForkSafeDelete{}));
  Core& core = lifecycle->core();
  std::vector<std::shared_ptr<std::vector<float>>> in_between;  // so that no host allocation gets the same place again
  for (int round = 0; round < 5; ++round) {
    const std::vector<float> few(6, 1.0F);
    const std::vector<float> many(20'000, 2.0F);
    {
      const Tensor x = Tensor::from_host(core, few, {6});
      const Tensor y = Tensor::from_host(core, many, {20'000});
      const Tensor z = Tensor::from_host_async(core, std::vector<float>(6, 3.0F), {6});
      const Tensor total = add(x, z);
      Recording(core.pool()).lane().synchronize();
      EXPECT_EQ(*static_cast<const float*>(total.data()), 4.0F) << round;
    }
    in_between.push_back(std::make_shared<std::vector<float>>(100 + 5000 * static_cast<std::size_t>(round)));
  }
  ASSERT_GE(recorder.lists.size(), 5U);
  const std::size_t each = recorder.lists.size() / 5;
  EXPECT_EQ(recorder.lists.at(4 * each), recorder.lists.at(3 * each));
  EXPECT_EQ(recorder.lists.at(3 * each), recorder.lists.at(2 * each));
  lifecycle->release();
}

}  // namespace
}  // namespace heddle
