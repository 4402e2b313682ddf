// What a buffer handle costs that is created and dropped, beside other allocators in the same run.
//
// The peers are the system's malloc and, where they are installed, mimalloc, jemalloc and tcmalloc. Each of their
// measurements is a process of its own that runs this bench over malloc, with the peer preloaded; the cases of all
// allocators take turns.
#include <dlfcn.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <stdexcept>

#include "cli/bench/alloc_heddle.hpp"
#include "cli/bench/alloc_parts.hpp"
#include "cli/bench/alloc_patterns.hpp"
#include "cli/bench/bench.hpp"
#include "cli/commands.hpp"
#include "cli/system/subprocess.hpp"
#include "cli/terminal/json.hpp"
#include "heddle/runtime/open_device.hpp"

namespace heddle::cli {
namespace {

struct Malloc {
  class Handle {
   public:
    Handle() = default;
    explicit Handle(void* memory) : memory_(memory) {}
    Handle(Handle&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
      std::swap(memory_, other.memory_);
      return *this;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
      if (memory_ != nullptr) std::free(memory_);
    }

   private:
    void* memory_ = nullptr;
  };
  struct Thread {
    explicit Thread(Malloc&) {}
    Handle make(std::size_t bytes) {
      void* memory = std::malloc(bytes);
      asm volatile("" : "+r"(memory) : : "memory");  // the pair may not be optimised away
      return Handle(memory);
    }
  };
  explicit Malloc(std::uint32_t) {}
};

struct Peer {
  const char* name;
  const char* library;  // to preload; null: what the system has
  const char* mark;     // a function that only this one has
};
constexpr std::array<Peer, 4> kPeers = {{{"glibc", nullptr, nullptr},
                                         {"mimalloc", "libmimalloc.so.2", "mi_version"},
                                         {"jemalloc", "libjemalloc.so.2", "mallctl"},
                                         {"tcmalloc", "libtcmalloc_minimal.so.4", "tc_version"}}};

constexpr const char* kSelf = "/proc/self/exe";
// How long a peer may take, beside several measurements of the time asked for.
constexpr double kPeerGraceSeconds = 60;
constexpr double kPeerFactor = 20;

// Which malloc this process runs with.
const char* malloc_name() {
  for (const Peer& peer : kPeers) {
    if (peer.mark != nullptr && dlsym(RTLD_DEFAULT, peer.mark) != nullptr) return peer.name;
  }
  return kPeers[0].name;
}

struct Figure {
  std::string name, unit;
  double value;
};

template <class Allocator>
std::vector<Figure> measure(const std::string& pattern, const PatternOptions& options) {
  Allocator allocator(options.threads);
  std::vector<Figure> figures;
  if (pattern == "same") {
    for (const auto& [bytes, name] : {std::pair<std::size_t, const char*>{512, "512 B"},
                                      {std::size_t{16} << 10, "16 KiB"},
                                      {std::size_t{64} << 10, "64 KiB"},
                                      {std::size_t{1} << 20, "1 MiB"},
                                      {std::size_t{16} << 20, "16 MiB"}}) {
      figures.push_back({name, "ns/pair", pattern_same(allocator, bytes, options)});
    }
    if (options.threads == 1) {
      figures.push_back({"16 KiB, p99.9 of one pair", "ns", pattern_tail(allocator, std::size_t{16} << 10, options)});
    }
  } else if (pattern == "mix") {
    figures.push_back({"512 B to 1 MiB, 8 live", "ns/pair", pattern_mix(allocator, options)});
  } else if (pattern == "remote") {
    for (const bool shuffled : {false, true}) {
      const char* order = shuffled ? "shuffled" : "in order";
      const RemoteTimes times = pattern_remote(allocator, 16384, shuffled, options);
      figures.push_back({fmt::format("free elsewhere, {}", order), "ns/block", times.free});
      figures.push_back({fmt::format("allocate again, {}", order), "ns/block", times.allocate});
      figures.push_back({fmt::format("allocate what was freed at home, {}", order), "ns/block", times.own});
      figures.push_back({fmt::format("free and take back, {}", order), "ns/block",
                         times.free + std::max(0.0, times.allocate - times.own)});
    }
  } else if (pattern == "xmalloc") {
    figures.push_back({"16 KiB, half allocate, half free", "ns/pair", pattern_xmalloc(allocator, options)});
  } else if (pattern == "larson") {
    figures.push_back({"5 to 1000 KiB, arrays go round", "ns/pair", pattern_larson(allocator, options)});
  } else {
    figures.push_back({"256 B to 64 KiB, threads come and go", "ns/pair", pattern_mstress(allocator, options)});
  }
  return figures;
}

// Runs this program over malloc with a peer preloaded, and reads its figures; none when the peer is not installed.
std::vector<Figure> measure_peer(const Peer& peer, const std::string& pattern, const PatternOptions& options) {
  const double seconds = options.seconds * 10;
  const ProcessResult process = run_process(
      {kSelf, "bench", "alloc", "--allocator", "malloc", "--pattern", pattern, "--threads",
       std::to_string(options.threads), "--seconds", fmt::format("{:.6f}", seconds), "--runs", "1", "--json"},
      std::chrono::duration<double>(kPeerGraceSeconds + kPeerFactor * seconds), {},
      peer.library != nullptr ? std::vector<std::string>{fmt::format("LD_PRELOAD={}", peer.library)}
                              : std::vector<std::string>{});
  if (process.signal != 0 || process.exit_code != kExitPass || process.timed_out) {
    throw std::runtime_error(fmt::format("bench alloc: the process for {}: {}", peer.name, process.ended()));
  }
  std::vector<Figure> figures;
  const std::string prefix = std::string(peer.name) + ": ";
  const std::optional<Json> result = parse_json(process.out);
  if (!result) throw std::runtime_error(fmt::format("bench alloc: the process for {} printed no JSON", peer.name));
  for (const Json& row : json_field(*result, "rows")) {
    const std::string name = text_field(row, "case");
    if (name.starts_with(prefix)) {
      figures.push_back({name.substr(prefix.size()), text_field(row, "unit"), number_field(row, "median")});
    }
  }
  return figures;
}

}  // namespace

BenchRows bench_alloc(const BenchOptions& options) {
  if (resolve(options.runtime).device != "cpu") {
    if (options.pattern == "same" && options.allocator != "malloc") return bench_alloc_device(options);
    throw InvalidArgument(
        "bench alloc: on a device other than the cpu, allowed are the pattern same and the allocator heddle");
  }
  if (options.pattern == "random" && (options.threads != 1 || options.allocator == "malloc")) {
    throw InvalidArgument(
        "bench alloc: the pattern random is one thread of heddle beside a best fit; allowed are --threads 1 and any "
        "--allocator but malloc");
  }
  if (options.pattern == "soak" && options.allocator == "malloc") {
    throw InvalidArgument("bench alloc: the pattern soak watches heddle; allowed is any --allocator but malloc");
  }
  if (options.pattern == "random") return bench_alloc_random();
  if (options.pattern == "soak") return bench_alloc_soak(options);
  const PatternOptions pattern{options.threads, options.seconds / 10};
  BenchRows rows;
  const auto add = [&](const char* allocator, const std::vector<Figure>& figures) {
    for (const Figure& figure : figures) {
      const std::string name = fmt::format("{}: {}", allocator, figure.name);
      auto row = std::find_if(rows.begin(), rows.end(), [&](const BenchRow& other) { return other.name == name; });
      if (row == rows.end()) row = rows.insert(rows.end(), {name, figure.unit, {}});
      row->values.push_back(figure.value);
    }
  };
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    options.report_done(static_cast<double>(run) / static_cast<double>(options.runs));
    if (options.allocator != "malloc") add("heddle", measure<Heddle>(options.pattern, pattern));
    if (options.allocator == "malloc") add(malloc_name(), measure<Malloc>(options.pattern, pattern));
    if (options.allocator != "all") continue;
    for (const Peer& peer : kPeers) add(peer.name, measure_peer(peer, options.pattern, pattern));
  }
  return rows;
}

}  // namespace heddle::cli
