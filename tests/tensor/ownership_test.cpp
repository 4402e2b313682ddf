// Whatever belongs to a command is in the list that holds it, wherever recording closes lists: host memory that a copy
// writes or an upload reads, with operands of any kind and lists of any length.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "heddle/backends/sim/device.hpp"
#include "heddle/heddle.hpp"
#include "heddle/stream/recording.hpp"
#include "heddle/sync/clock.hpp"
#include "heddle/tensor/core.hpp"

namespace heddle {
namespace {

constexpr std::int64_t kRows = 6;
constexpr std::int64_t kCols = 10;

struct Operation {
  const char* name;
  std::function<Tensor(Core&, const Tensor& x, const Tensor& y)> compute;  // of two matrices of one shape
};

const std::vector<Operation>& operations() {
  using Operand = const Tensor&;
  static const std::vector<Operation> all{
      {"add", [](Core&, Operand x, Operand y) { return add(x, y); }},
      {"sub", [](Core&, Operand x, Operand y) { return sub(x, y); }},
      {"mul", [](Core&, Operand x, Operand y) { return mul(x, y); }},
      {"div", [](Core&, Operand x, Operand y) { return div(x, y); }},
      {"relu", [](Core&, Operand x, Operand) { return relu(x); }},
      {"matmul", [](Core&, Operand x, Operand y) { return matmul(x, transpose(y)); }},
      {"linear", [](Core&, Operand x, Operand y) { return linear(x, y, Tensor()); }},
      {"linear of views", [](Core&, Operand x, Operand y) { return linear(transpose(x), transpose(y), Tensor()); }},
      {"sum", [](Core&, Operand x, Operand) { return sum(x); }},
      {"sum of rows", [](Core&, Operand x, Operand) { return sum(x, 1); }},
      {"mean", [](Core&, Operand x, Operand) { return mean(x, 0); }},
      {"itself", [](Core&, Operand x, Operand) { return x; }},
      {"a view", [](Core&, Operand x, Operand) { return transpose(x); }},
      {"reshape", [](Core&, Operand x, Operand) { return reshape(transpose(x), {-1}); }},
      {"copy", [](Core&, Operand x, Operand) { return copy(transpose(x)); }},
      {"cast", [](Core&, Operand x, Operand) { return cast(x, Dtype::kFloat16); }},
      {"cast of a view", [](Core&, Operand x, Operand) { return cast(transpose(x), Dtype::kBFloat16); }},
      {"stack", [](Core&, Operand x, Operand y) { return stack(std::vector<Tensor>{x, y, add(x, y)}); }},
      {"stack of views",
       [](Core&, Operand x, Operand y) { return stack(std::vector<Tensor>{transpose(x), transpose(y)}); }},
      {"from_host", [](Core& core, Operand x,
                       Operand) { return add(x, Tensor::from_host(core, std::vector<float>(kCols, 3.0f), {kCols})); }},
      {"from_host_async",
       [](Core& core, Operand x, Operand) {
         return add(x, Tensor::from_host_async(core, std::vector<float>(kCols, 4.0f), {kCols}));
       }},
      {"randn",
       [](Core& core, Operand x, Operand) {
         Generator generator(core, 7);
         return add(add(x, randn(generator, {kCols})), uniform(generator, {kCols}));
       }},
      {"custom",
       [](Core& core, Operand x, Operand y) {
         const auto held = std::make_shared<float>(5.0f);
         return custom(core, "adds", {x, y}, {Shape{kRows, kCols}}, [held](const CustomCall& call) {
           const auto* a = static_cast<const float*>(call.inputs[0].data);
           auto* out = static_cast<float*>(call.outputs[0].data);
           for (std::int64_t i = 0; i < kRows * kCols; ++i) out[i] = a[i] + *held;
         })[0];
       }},
  };
  return all;
}

Tensor matrix(Core& core, float first) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < kRows * kCols; ++i) values.push_back(first + static_cast<float>(i));
  return Tensor::from_host(core, values, {kRows, kCols});
}

void commit(Core& core) { Recording(core.pool()).lane().commit(); }

// Where an operand comes from: the thread's own stream, or another's, with a ticket that it does not wait for yet.
Tensor operand(Core& core, float first, bool is_foreign) {
  if (!is_foreign) return matrix(core, first);
  Tensor made;
  std::thread([&] {
    made = matrix(core, first);
    commit(core);
  }).join();
  return made;
}

constexpr std::uint32_t kLongestLists = 4;

// Calls `body` for each operation with operands of each kind, after so many commands in lists of so many at most.
void for_all(std::uint32_t list, const std::function<void(const Operation&, bool is_foreign, std::uint32_t)>& body) {
  for (const Operation& operation : operations()) {
    for (const bool is_foreign : {false, true}) {
      for (std::uint32_t before = 0; before < list; ++before) {
        SCOPED_TRACE(std::string(operation.name) + (is_foreign ? ", operands of others" : "") + ", lists of " +
                     std::to_string(list) + " after " + std::to_string(before));
        body(operation, is_foreign, before);
        if (::testing::Test::HasFailure()) return;
      }
    }
  }
}

// Lists end elsewhere, and the results are the same; host copies that were dropped are in nobody's way.
TEST(Ownership, ResultsDoNotDependOnWhereListsEnd) {
  std::vector<std::vector<float>> right;
  {
    Runtime runtime;
    if (!runtime.device_info().host_accessible) GTEST_SKIP() << "its functions compute, and wait, on the host";
    for (const Operation& operation : operations()) {
      right.push_back(operation.compute(runtime, matrix(runtime, 1.0f), matrix(runtime, 100.0f)).to_host());
    }
  }
  for (std::uint32_t list = 1; list <= kLongestLists; ++list) {
    Options options;
    options.limits.list_commands_max = list;
    Runtime runtime(options);
    for_all(list, [&](const Operation& operation, bool is_foreign, std::uint32_t before) {
      const Tensor x = operand(runtime, 1.0f, is_foreign);
      const Tensor y = operand(runtime, 100.0f, is_foreign);
      std::latch go_on(1);
      custom(runtime, "stands still", {}, {}, [&](const CustomCall&) { go_on.wait(); });
      runtime.commit();
      for (std::uint32_t i = 0; i < before; ++i) zeros(runtime, {1});
      const Tensor z = operation.compute(runtime, x, y);
      static_cast<void>(z.to_host_async());  // and dropped
      const HostCopy kept = z.to_host_async();
      go_on.count_down();
      const std::span<const float> values = kept.values();
      const auto index = static_cast<std::size_t>(&operation - operations().data());
      EXPECT_EQ(std::vector<float>(values.begin(), values.end()), right[index]);
      EXPECT_EQ(z.to_host(), right[index]);
      runtime.synchronize();
    });
  }
}

// A device that stands still until the test steps it. Host memory that nobody owns any more stays, and is filled: a
// copy that writes there is seen.
class Guarded final : public sim::SimDevice {
 public:
  Guarded() : SimDevice({.auto_run = false}) {}
  std::shared_ptr<std::byte> allocate_host(std::size_t bytes) override {
    auto& memory = given_.emplace_back(new std::vector<std::byte>(bytes));
    return {memory->data(), [&freed = freed_, of = memory.get()](std::byte*) {
              std::fill(of->begin(), of->end(), kFreed);
              freed.push_back(of);
            }};
  }
  std::size_t freed() const { return freed_.size(); }
  bool written_after_free() const {
    return std::any_of(freed_.begin(), freed_.end(), [](const std::vector<std::byte>* memory) {
      return std::count(memory->begin(), memory->end(), kFreed) != static_cast<std::ptrdiff_t>(memory->size());
    });
  }

 private:
  static constexpr std::byte kFreed{0x55};
  std::vector<std::unique_ptr<std::vector<std::byte>>> given_;
  std::vector<const std::vector<std::byte>*> freed_;
};

class Standing : public ::testing::Test {
 protected:
  void SetUp() override { open({}); }
  void TearDown() override { close(); }
  void open(CoreOptions options) {
    auto device = std::make_unique<Guarded>();
    options.memory.limit = device->info().memory_bytes;
    sim_ = device.get();
    core_ = std::make_unique<Core>(std::move(device), options);
  }
  void close() {
    run();
    EXPECT_TRUE(core_->close(sync::Deadline::never()));
    core_.reset();
  }
  void run() {
    commit(*core_);
    while (sim_->step()) {
    }
  }
  Guarded* sim_ = nullptr;
  std::unique_ptr<Core> core_;
};

// C58: a host copy that is dropped before the device has come to it is not written after it has gone.
TEST_F(Standing, C58_AHostCopyThatIsDroppedIsNeverWrittenIntoOthersMemory) {
  for (std::uint32_t list = 1; list <= kLongestLists; ++list) {
    close();
    CoreOptions options;
    options.limits.list_commands_max = list;
    open(options);
    for_all(list, [&](const Operation& operation, bool is_foreign, std::uint32_t before) {
      const Tensor x = operand(*core_, 1.0f, is_foreign);
      const Tensor y = operand(*core_, 100.0f, is_foreign);
      for (std::uint32_t i = 0; i < before; ++i) zeros(*core_, {1});
      const std::size_t freed = sim_->freed();
      try {
        static_cast<void>(operation.compute(*core_, x, y).to_host_async());  // and dropped
      } catch (const Unsupported&) {
        return;  // this device has no kernels for casts
      }
      EXPECT_EQ(sim_->freed(), freed) << "the list owns it";
      run();
      EXPECT_EQ(sim_->freed(), freed + 1);
      EXPECT_FALSE(sim_->written_after_free());
    });
  }
}

// With default limits: the packing copy of a view is the command that fills the list.
TEST_F(Standing, C58_TheCopyThatPacksAViewMayFillTheList) {
  const Tensor x = full(*core_, {20, 50}, 42);
  commit(*core_);
  for (std::uint32_t i = 1; i < Limits{}.list_commands_max; ++i) zeros(*core_, {4});
  static_cast<void>(transpose(x).to_host_async());
  run();
  EXPECT_EQ(sim_->freed(), 1u);
  EXPECT_FALSE(sim_->written_after_free());
}

TEST_F(Standing, MovedValuesCountAmongTheBytesOfAList) {
  constexpr std::size_t kValues = std::size_t{1} << 20;  // 4 MiB
  Ticket before;
  for (int i = 0; i < 10; ++i) {
    const Tensor x = Tensor::from_host_async(*core_, std::vector<float>(kValues), {kValues});
    Recording recording(core_->pool());
    EXPECT_EQ(recording.lane().committed(), recording.lane().issued()) << "the list that holds them is full";
    EXPECT_GT(recording.lane().committed(), before);
    before = recording.lane().committed();
  }
}

TEST_F(Standing, FewMovedValuesDoNotCloseAList) {
  for (int i = 0; i < 10; ++i) Tensor::from_host_async(*core_, std::vector<float>(1000), {1000});
  Recording recording(core_->pool());
  EXPECT_EQ(recording.lane().committed(), Ticket{});
}

}  // namespace
}  // namespace heddle
