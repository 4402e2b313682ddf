// What recording one operation costs the calling thread: checks, shape, allocation of the result, encoding, and
// dropping the result. The lists are executed between the measurements.
#include <chrono>
#include <functional>

#include "cli/bench/bench.hpp"

namespace heddle::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRounds = 40;  // of a list; randn, matmul and sum are three operations a round

// Median over many lists of the nanoseconds per operation.
double nanoseconds_per_op(Runtime& runtime, double seconds, int ops_per_round, const std::function<void()>& round) {
  std::vector<double> lists;
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  do {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < kRounds; ++i) round();
    const std::chrono::duration<double, std::nano> spent = Clock::now() - start;
    runtime.synchronize();
    lists.push_back(spent.count() / (kRounds * ops_per_round));
  } while (Clock::now() < end);
  return median(std::move(lists));
}

}  // namespace

BenchRows bench_record(const BenchOptions& options) {
  Options opened = options.runtime;
  opened.limits.list_commands_max = 1 << 16;  // no list is committed by itself
  opened.limits.list_bytes_max = std::size_t{64} << 20;
  Runtime runtime(opened);
  const Lease lease = runtime.lease();
  Generator generator(runtime, 1);
  const Shape shape{8, 8};
  const Tensor a = randn(generator, shape);
  runtime.synchronize();

  struct Case {
    BenchRow row;
    int ops;
    std::function<void()> round;
  };
  std::vector<Case> cases;
  cases.push_back({{"randn, matmul, sum (8 x 8)", "ns/op", {}}, 3, [&] {
                     const Tensor x = randn(generator, shape);
                     const Tensor y = matmul(x, x);
                     const Tensor z = sum(y);
                   }});
  cases.push_back({{"randn", "ns/op", {}}, 1, [&] { const Tensor x = randn(generator, shape); }});
  cases.push_back({{"matmul", "ns/op", {}}, 1, [&] { const Tensor y = matmul(a, a); }});
  cases.push_back({{"sum", "ns/op", {}}, 1, [&] { const Tensor z = sum(a); }});
  cases.push_back({{"add", "ns/op", {}}, 1, [&] { const Tensor z = add(a, a); }});
  for (std::uint64_t run = 0; run < options.runs; ++run) {
    options.report_done(static_cast<double>(run) / static_cast<double>(options.runs));
    for (Case& one : cases) {
      one.row.values.push_back(nanoseconds_per_op(runtime, options.seconds, one.ops, one.round));
    }
  }
  BenchRows rows;
  for (Case& one : cases) rows.push_back(std::move(one.row));
  return rows;
}

}  // namespace heddle::cli
