// A program outside the tree that uses each public header, and what must work across the border of a shared library.
// Fails when a value is wrong or an error is not what was thrown.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "heddle/heddle.hpp"

namespace {

struct Inline final : heddle::Executor {
  void execute(std::function<void()> task) override { task(); }
};

bool errors_are_caught_by_their_type(heddle::Runtime& runtime) {
  try {
    heddle::add(heddle::zeros(runtime, {2}), heddle::zeros(runtime, {3}));
  } catch (const heddle::InvalidArgument& error) {
    return error.kind() == heddle::ErrorKind::kInvalidArgument;
  }
  return false;
}

bool values_are_right(heddle::Runtime& runtime) {
  const std::vector<float> ones(4, 1.0F);
  const auto x = heddle::Tensor::from_host(runtime, ones, {2, 2});
  const auto doubled = heddle::custom(runtime, "double", {x}, {x.shape()}, [](const heddle::CustomCall& call) {
    const auto* in = static_cast<const float*>(call.inputs[0].data);
    auto* out = static_cast<float*>(call.outputs[0].data);
    for (std::int64_t i = 0; i < call.inputs[0].shape.elements(); ++i) out[i] = 2.0F * in[i];
  });
  heddle::Generator generator(runtime, 7);
  const float random =
      heddle::sum(heddle::matmul(heddle::randn(generator, {64, 64}), heddle::randn(runtime, {64, 64}))).item();
  return doubled.at(0).to_host_async().values()[3] > 1.5F && std::isfinite(random);
}

bool streams_and_events(heddle::Runtime& runtime) {
  heddle::Lease lease = runtime.lease();
  const heddle::TimingEvent begin(runtime);
  const auto x = heddle::full(runtime, {8}, 3.0F);
  const heddle::Event event = lease.record_event();
  std::atomic<int> finished = 0;
  const auto count = [&](const heddle::Status& status) { finished += status.ok(); };
  lease.on_complete(count);
  lease.stream().on_complete(count, {.name = "inline", .executor = std::make_shared<Inline>()});
  event.wait();
  lease.synchronize();
  const heddle::TimingEvent end(runtime);
  return end.since(begin).count() >= 0 && runtime.shutdown().complete && finished == 2;
}

bool containers(heddle::Runtime& runtime) {
  heddle::MemoryResource resource(runtime);
  std::pmr::vector<int> numbers({1, 2, 3}, &resource);
  return numbers.back() == 3 && runtime.memory_statistics().live_blocks == 1;
}

}  // namespace

int main() {
  heddle::Runtime runtime(heddle::Options{.device = "cpu", .limits = {.handlers_max = 8}});
  const bool ok = errors_are_caught_by_their_type(runtime) && containers(runtime) && values_are_right(runtime) &&
                  streams_and_events(runtime);
  std::printf("heddle %d.%d.%d (%s): %s\n", HEDDLE_VERSION_MAJOR, HEDDLE_VERSION_MINOR, HEDDLE_VERSION_PATCH,
              heddle::build_id(), ok ? "ok" : "FAILED");
  return ok ? 0 : 1;
}
