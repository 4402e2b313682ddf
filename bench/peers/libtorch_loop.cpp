// The stress loop (randn, matmul, sum; one float32 N x N matrix) in libtorch on the CPU, for comparison with `heddle
// stress`.
//
// Two ways: `usual`, as most programs write it (the process-wide generator, NoGradGuard), and `best`, the fastest that
// libtorch offers (one generator per thread, InferenceMode). One thread of libtorch's own pool per calling thread. Each
// way prints one line of JSON. Usage: libtorch_loop [--threads T] [--size N] [--seconds S] [--way usual|best|both]
#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Request {
  long threads = 32;
  long size = 64;
  double seconds = 3;
  std::string way = "both";
};

enum class Phase { kWarmUp, kMeasure, kStop };

// Each thread counts in its own cache line, so that counting costs the peer nothing.
struct alignas(128) Lane {
  std::atomic<std::uint64_t> done{0};
  double checksum = 0;
};

torch::Tensor one_iteration(long size, const c10::optional<at::Generator>& generator) {
  const torch::Tensor x = torch::randn({size, size}, generator);
  return torch::matmul(x, x).sum();
}

void run_lane(const Request& request, bool best, std::uint64_t seed, const std::atomic<Phase>& phase, Lane& lane) {
  const c10::InferenceMode inference(best);
  const torch::NoGradGuard no_gradients;
  c10::optional<at::Generator> generator;
  if (best) generator = at::detail::createCPUGenerator(seed);
  while (phase.load(std::memory_order_relaxed) != Phase::kStop) {
    const torch::Tensor sum = one_iteration(request.size, generator);
    // Read as seldom as our loop waits (--sync-every 40).
    if (lane.done.fetch_add(1, std::memory_order_relaxed) % 40 == 0) lane.checksum += sum.item<float>();
  }
}

std::uint64_t total(const std::vector<Lane>& lanes) {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes) sum += lane.done.load(std::memory_order_relaxed);
  return sum;
}

void measure(const Request& request, bool best) {
  std::atomic<Phase> phase{Phase::kWarmUp};
  std::vector<Lane> lanes(static_cast<std::size_t>(request.threads));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    threads.emplace_back([&, i] { run_lane(request, best, 1000 + i, phase, lanes[i]); });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  phase = Phase::kMeasure;
  const std::uint64_t before = total(lanes);
  const Clock::time_point start = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(request.seconds));
  const std::uint64_t counted = total(lanes) - before;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  phase = Phase::kStop;
  double checksum = 0;
  for (std::thread& thread : threads) thread.join();
  for (const Lane& lane : lanes) checksum += lane.checksum;
  std::printf(
      "{\"peer\": \"libtorch %s\", \"way\": \"%s\", \"threads\": %ld, \"size\": %ld, \"seconds\": %.3f, "
      "\"iterations\": %llu, \"iterations_per_second\": %.1f, \"checksum\": %g}\n",
      TORCH_VERSION, best ? "best" : "usual", request.threads, request.size, seconds,
      static_cast<unsigned long long>(counted), static_cast<double>(counted) / seconds, checksum);
  std::fflush(stdout);
}

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "libtorch_loop: %s; usage: [--threads T] [--size N] [--seconds S] [--way usual|best|both]\n",
               what.c_str());
  std::exit(2);
}

double number(const std::string& name, const char* text, double most) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value > 0) || value > most) refuse(name + " must not be " + text);
  return value;
}

Request parse(int argc, char** argv) {
  Request request;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 == argc) refuse(name + " needs a value");
    const char* value = argv[i + 1];
    if (name == "--threads") {
      request.threads = static_cast<long>(number(name, value, 4096));
    } else if (name == "--size") {
      request.size = static_cast<long>(number(name, value, 65536));
    } else if (name == "--seconds") {
      request.seconds = number(name, value, 86400);
    } else if (name == "--way") {
      request.way = value;
    } else {
      refuse("unknown option " + name);
    }
  }
  if (request.way != "usual" && request.way != "best" && request.way != "both")
    refuse("--way must not be " + request.way);
  return request;
}

}  // namespace

int main(int argc, char** argv) {
  const Request request = parse(argc, argv);
  at::set_num_threads(1);
  if (request.way != "best") measure(request, false);
  if (request.way != "usual") measure(request, true);
  return 0;
}
