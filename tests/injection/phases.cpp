#include "injection/phases.hpp"

#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "injection/books.hpp"

namespace injection {
namespace {

using heddle::Runtime;
using heddle::Shape;
using heddle::Tensor;

// The sum of a product of two n x n matrices filled with `a` and 1: exact in float for the values used here.
Tensor product(heddle::Core& core, std::int64_t n, float a) {
  return sum(matmul(full(core, {n, n}, a), full(core, {n, n}, 1.0f)));
}
float product_value(std::int64_t n, float a) { return a * static_cast<float>(n * n * n); }

// Threads that are joined however the scope ends; exceptions that leave them are noted.
class Crew {
 public:
  explicit Crew(std::size_t most) { threads_.reserve(most); }
  ~Crew() { join(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  template <class Body>
  void start(const char* name, Body body) {
    threads_.emplace_back([this, name, body] {
      if (!guarded(name, body)) failed_.store(true);
    });
  }
  // False: one of them threw.
  bool join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return !failed_.load();
  }

 private:
  std::atomic<bool> failed_{false};
  std::vector<std::thread> threads_;
};

// One thread that runs tasks; its destructor drops queued tasks.
class OneThread final : public heddle::Executor {
 public:
  OneThread() : thread_([this] { work(); }) {}
  ~OneThread() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void execute(std::function<void()> task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    changed_.notify_one();
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::deque<std::function<void()>> tasks_;
  std::thread thread_;
};

// Registers a handler that must be called once if this returns, and never if it throws.
template <class Target>
void promise_handler(Target& target, heddle::HandlerOptions options = {}) {
  Promise& promise = Promise::take();
  target.on_complete([&promise](const heddle::Status&) { promise.call(); }, std::move(options));
  promise.accepted();
}

void operations(Runtime& runtime) {
  expect(product(runtime, 32, 3).item() == product_value(32, 3), "a sum of a product");
  const Tensor x = full(runtime, {4, 6}, 2.0f);
  const Tensor y = add(transpose(x), full(runtime, {4}, 1.0f));  // a strided and a broadcast operand
  expect(y.shape() == Shape{6, 4} && sum(y).item() == 72.0f, "a broadcast sum of a transposed tensor");
  const Tensor z = relu(sub(reshape(y, {24}), full(runtime, {24}, 5.0f)));
  expect(mean(z).item() == 0.0f, "relu of negatives");
  const Tensor half = cast(cast(y, heddle::Dtype::kFloat16), heddle::Dtype::kFloat32);
  const std::array parts{half, y, y};
  expect(sum(stack(parts)).item() == 216.0f, "a stack with a tensor that was float16");
  const std::vector<float> rows = sum(y, 1).to_host();
  for (const float row : rows) expect(row == 12.0f, "a sum over an axis");
  const Tensor weight = full(runtime, {3, 6}, 1.0f);
  expect(sum(linear(x, weight, full(runtime, {3}, 0.5f))).item() == 150.0f, "a linear layer");
}

void host_memory(Runtime& runtime) {
  std::vector<float> values(300);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Tensor copied = Tensor::from_host(runtime, values, {300});
  const Tensor moved = Tensor::from_host_async(runtime, std::vector<float>(values), {3, 100});
  {
    const auto dropped = add(copied, copied).to_host_async();
  }
  const auto late = transpose(moved).to_host_async();
  const auto doubled = add(copied, copied).to_host_async();
  const std::span<const float> first = late.values();
  const std::span<const float> second = doubled.values();
  expect(first.size() == 300 && second.size() == 300, "as many values as elements");
  for (std::size_t i = 0; i < first.size(); ++i) {
    expect(first[i] == values[i % 3 * 100 + i / 3], "a host copy of a transposed tensor");
    expect(second[i] == 2 * values[i], "a host copy");
  }
}

void handlers(Runtime& runtime) {
  const auto executor = std::make_shared<OneThread>();
  for (int i = 0; i < 5; ++i) {
    product(runtime, 8, 2);
    promise_handler(runtime);
    promise_handler(runtime, {"in the executor", executor});
  }
  Promise& outer = Promise::take();
  runtime.on_complete([&](const heddle::Status& status) {
    outer.call();
    if (!status.ok()) return;
    guarded("handler", [&] {
      product(runtime, 4, 1);
      promise_handler(runtime);
    });
  });
  outer.accepted();
  runtime.synchronize();
  // The executor's queue must be empty before this ends: its destructor drops tasks, whose handlers receive a status
  // too.
}

void threads(Runtime& runtime) {
  const Tensor shared = full(runtime, {16, 16}, 2.0f);
  shared.make_shared_constant();
  const Tensor other = full(runtime, {16, 16}, 3.0f);  // an operand of another stream
  const heddle::Event ready = runtime.record_event();
  Crew crew(4);
  for (int i = 0; i < 3; ++i) {
    crew.start("thread", [&runtime, &shared, &other, &ready, i] {
      runtime.wait(ready);
      for (int k = 1; k <= 3; ++k) {
        const Tensor mine = matmul(shared, full(runtime, {16, 16}, static_cast<float>(k)));
        expect(sum(add(mine, other)).item() == static_cast<float>(256 * (32 * k + 3)), "a sum of three streams");
        if (k == i + 1) promise_handler(runtime);
      }
    });
  }
  crew.start("lease", [&runtime, &other] {
    heddle::Lease lease = runtime.lease();
    const Tensor before = sum(other);
    lease.detach();
    expect(product(runtime, 8, 1).item() == product_value(8, 1), "a sum beside a detached lease");
    lease.attach();
    const heddle::Event event = lease.record_event();
    promise_handler(lease);
    event.wait();
    expect(before.item() == 768.0f, "a sum on a lease");
  });
  if (!crew.join()) throw std::runtime_error("a thread failed");
}

void custom_operations(Runtime& runtime) {
  const Tensor x = full(runtime, {50}, 4.0f);
  Promise& captured = Promise::take();
  auto token = std::make_shared<CallsAtEnd>(captured);
  captured.accepted();
  const std::vector<Tensor> made = custom(runtime, "twice", {x}, {Shape{50}, Shape{}}, [token](const auto& call) {
    const auto* in = static_cast<const float*>(call.inputs[0].data);
    auto* out = static_cast<float*>(call.outputs[0].data);
    for (int i = 0; i < 50; ++i) {
      expect(in[i] == 4.0f, "the input of a custom operation");
      out[i] = 2 * in[i];
    }
    *static_cast<float*>(call.outputs[1].data) = 7.0f;
  });
  token.reset();
  expect(sum(made[0]).item() == 400.0f && made[1].item() == 7.0f, "the output of a custom operation");
}

void external_memory(Runtime& runtime) {
  static std::array<float, 64> memory;
  memory.fill(1.5f);
  Promise& deleted = Promise::take();
  Tensor total;
  {
    const Tensor x = Tensor::from_external(runtime, memory.data(), {8, 8}, {}, [&deleted] { deleted.call(); });
    deleted.accepted();
    total = sum(add(x, transpose(x)));
  }
  expect(total.item() == 192.0f, "a sum over a user's memory");
}

void memory(Runtime& runtime) {
  for (int round = 0; round < 2; ++round) {
    std::vector<Tensor> kept;
    for (std::int64_t n = 1; n < 2'000'000; n = 3 * n + 1) {
      kept.push_back(full(runtime, {n}, 1.0f));
      if (n % 2 == 0) kept.erase(kept.begin());
    }
    for (const Tensor& tensor : kept) {
      expect(sum(tensor).item() == static_cast<float>(tensor.elements()), "a sum of ones");
    }
    kept.clear();
    runtime.synchronize();
    runtime.release_cached();
  }
  const heddle::MemoryStatistics statistics = runtime.memory_statistics();
  expect(statistics.reserved <= statistics.limit, "reserved memory stays within the limit");
}

void generators(Runtime& runtime) {
  heddle::Generator first(runtime, 5, 1);
  heddle::Generator second(runtime, 5, 1);
  const std::vector<float> a = randn(first, {100}).to_host();
  const std::vector<float> b = randn(second, {100}).to_host();
  expect(a == b, "two generators of one seed draw the same");
  const Tensor uniforms = uniform(runtime, {1000});
  const float total = sum(uniforms).item();
  expect(total > 350 && total < 650, "a mean of uniforms");
}

void long_lists(Runtime& runtime) {
  Tensor total = zeros(runtime, {3});
  const Tensor one = full(runtime, {3}, 1.0f);
  for (int i = 0; i < 1500; ++i) total = add(total, one);  // lists that commit by themselves
  expect(sum(total).item() == 4500.0f, "a sum over more than one list");
  const heddle::TimingEvent start(runtime);
  product(runtime, 16, 1);
  const heddle::TimingEvent end(runtime);
  expect(end.since(start).count() >= 0, "time on the device");
}

void other_runtimes(Runtime& runtime) {
  for (const char* device : {"cpu", "sim"}) {
    heddle::Options options;
    options.device = device;
    options.cpu_workers = 1;
    Runtime second(options);
    const Tensor x = product(second, 8, 2);
    promise_handler(second);
    if (device[0] == 'c') expect(x.item() == product_value(8, 2), "a sum of another runtime");
    expect(product(runtime, 8, 3).item() == product_value(8, 3), "a sum beside another runtime");
    if (second.shutdown().handlers_pending != 0) note_wrong("a shutdown that leaves handlers");
  }
}

constexpr Phase kPhases[] = {
    {"operations", operations},
    {"host memory", host_memory},
    {"handlers", handlers},
    {"threads", threads},
    {"custom operations", custom_operations},
    {"external memory", external_memory},
    {"memory", memory},
    {"generators", generators},
    {"long lists", long_lists},
    {"other runtimes", other_runtimes},
};

}  // namespace

std::span<const Phase> phases() { return kPhases; }

}  // namespace injection
