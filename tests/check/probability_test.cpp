// Each random strategy samples executions with exactly the probabilities of its definition. These are computed by
// giving it every sequence of draws, and compared with closed forms and with sampled executions.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "every_draw.hpp"
#include "heddle_check/strategies/pct.hpp"
#include "heddle_check/strategies/pos.hpp"
#include "heddle_check/strategies/surw.hpp"
#include "kernels.hpp"

namespace heddle_check {
namespace {

class Borrowed final : public Draws {
 public:
  explicit Borrowed(Draws*& from) : from_(from) {}
  std::uint32_t below(std::uint32_t bound) override { return from_->below(bound); }
  bool with_probability(double p) override { return from_->with_probability(p); }
  std::uint64_t priority() override { return from_->priority(); }

 private:
  Draws*& from_;
};

// The course of an execution: the threads in the order of their operations.
struct Kernel {
  std::string order;
  Scenario scenario;
};

// Threads that update one atomic each time their digit occurs in `operations`, by thread; 's': the shared one, 'o': a
// private one.
std::unique_ptr<Kernel> kernel(std::vector<std::string> operations) {
  auto made = std::make_unique<Kernel>();
  made->scenario = scenario([&order = made->order, operations = std::move(operations)] {
    order.clear();
    Atomic<int> shared{0};
    at_once(static_cast<int>(operations.size()), [&](int t) {
      Atomic<int> own{0};
      for (const char which : operations[static_cast<std::size_t>(t)]) {
        if (which == 's') {
          shared.fetch_add(1);
        } else {
          own.fetch_add(1);
        }
        order += static_cast<char>('A' + t);
      }
    });
  });
  return made;
}

using MakeStrategy = std::function<std::unique_ptr<Strategy>(std::unique_ptr<Draws>)>;

std::unique_ptr<Strategy> walk(std::unique_ptr<Draws> draws) {
  return std::make_unique<RandomWalk>(1, std::move(draws));
}
std::unique_ptr<Strategy> lazy_walk(std::unique_ptr<Draws> draws) {
  return std::make_unique<RandomWalk>(0.3, std::move(draws));
}
std::unique_ptr<Strategy> pos(std::unique_ptr<Draws> draws) { return std::make_unique<Pos>(std::move(draws)); }
std::unique_ptr<Strategy> surw(std::unique_ptr<Draws> draws) {
  return std::make_unique<Surw>(std::move(draws), 1'000'000);
}
MakeStrategy pct(std::uint32_t depth, std::uint32_t points) {
  return [=](std::unique_ptr<Draws> draws) { return std::make_unique<Pct>(depth, std::move(draws), points); };
}

using Distribution = std::map<std::string, double>;
constexpr int kProfile = static_cast<int>(Surw::kProfileExecutions);  // harmless for the other strategies

Distribution exact(Kernel& of, const MakeStrategy& make) {
  Random random(1);
  EveryDraw every;
  Draws* from = &random;
  const std::unique_ptr<Strategy> strategy = make(std::make_unique<Borrowed>(from));
  Explorer explorer;
  explorer.explore(of.scenario, *strategy, {.executions = kProfile});
  from = &every;
  Distribution distribution;
  do {
    explorer.explore(of.scenario, *strategy, {.executions = 1});
    distribution[of.order] += every.probability();
  } while (every.advance());
  return distribution;
}

std::map<std::string, int> sampled(Kernel& of, const MakeStrategy& make, int executions) {
  const std::unique_ptr<Strategy> strategy = make(draws_of(7));
  Explorer explorer;
  explorer.explore(of.scenario, *strategy, {.executions = kProfile});
  std::map<std::string, int> counts;
  for (int i = 0; i < executions; ++i) {
    explorer.explore(of.scenario, *strategy, {.executions = 1});
    ++counts[of.order];
  }
  return counts;
}

// Chi-square with `freedom` degrees exceeds it with probability 0.001 (E. Wilson and M. Hilferty's approximation).
double critical(double freedom) {
  const double part = 2 / (9 * freedom);
  return freedom * std::pow(1 - part + 3.0902 * std::sqrt(part), 3);
}

void expect_sampled_as_computed(Kernel& of, const MakeStrategy& make) {
  constexpr int kExecutions = kSanitized ? 1000 : 20'000;
  const Distribution expected = exact(of, make);
  double sum = 0;
  for (const auto& [order, probability] : expected) sum += probability;
  ASSERT_NEAR(sum, 1, 1e-9);
  const std::map<std::string, int> counts = sampled(of, make, kExecutions);
  for (const auto& [order, count] : counts) EXPECT_EQ(expected.count(order), 1u) << order << " is impossible";
  double chi_square = 0;
  for (const auto& [order, probability] : expected) {
    const double mean = probability * kExecutions;
    const auto seen = counts.find(order);
    const double difference = (seen == counts.end() ? 0 : seen->second) - mean;
    chi_square += difference * difference / mean;
  }
  ASSERT_GT(expected.size(), 1u);
  EXPECT_LT(chi_square, critical(static_cast<double>(expected.size()) - 1)) << expected.size() << " outcomes";
}

TEST(Probability, SampledFrequenciesAgreeWithTheExactOnes) {
  const std::vector<std::vector<std::string>> kernels{{"ss", "ss"}, {"s", "s", "s"}, {"so", "os"}, {"sos", "s"}};
  const std::vector<std::pair<const char*, MakeStrategy>> strategies{{"walk:1", walk},     {"walk:0.3", lazy_walk},
                                                                     {"pos", pos},         {"surw", surw},
                                                                     {"pct:2", pct(2, 8)}, {"pct:3", pct(3, 8)}};
  for (const auto& operations : kernels) {
    for (const auto& [name, make] : strategies) {
      SCOPED_TRACE(fmt::format("{} on {}", name, fmt::join(operations, "|")));
      expect_sampled_as_computed(*kernel(operations), make);
    }
  }
}

TEST(Probability, OfAUniformWalk) {
  const Distribution of = exact(*kernel({"ss", "ss"}), walk);
  EXPECT_EQ(of.size(), 6u);
  EXPECT_NEAR(of.at("AABB"), 1.0 / 4, 1e-12);
  EXPECT_NEAR(of.at("ABAB"), 1.0 / 8, 1e-12);
}

// Dependent operations get new priorities; an independent one keeps its own, which is known to be lower than those
// performed before it.
TEST(Probability, OfPartialOrderSampling) {
  const Distribution dependent = exact(*kernel({"ss", "s"}), pos);
  EXPECT_NEAR(dependent.at("AAB"), 1.0 / 4, 1e-12);
  EXPECT_NEAR(dependent.at("ABA"), 1.0 / 4, 1e-12);
  EXPECT_NEAR(dependent.at("BAA"), 1.0 / 2, 1e-12);
  const Distribution independent = exact(*kernel({"oo", "o"}), pos);
  EXPECT_NEAR(independent.at("AAB"), 1.0 / 3, 1e-12);
  EXPECT_NEAR(independent.at("ABA"), 1.0 / 6, 1e-12);
  EXPECT_NEAR(independent.at("BAA"), 1.0 / 2, 1e-12);
}

TEST(Probability, InterestingOperationsAreInterleavedUniformly) {
  for (const auto& operations :
       std::vector<std::vector<std::string>>{{"ss", "ss"}, {"sss", "s"}, {"s", "s", "s"}, {"s", "ss", "s"}}) {
    const Distribution of = exact(*kernel(operations), surw);
    for (const auto& [order, probability] : of) {
      EXPECT_NEAR(probability, 1 / static_cast<double>(of.size()), 1e-12) << order;
    }
  }
}

// Whatever the program: every order of the operations is a bug of some depth d, and is hit with at least 1 / (n *
// k^(d-1)). Two threads of two operations: AABB needs one constraint, ABBA two, ABAB three.
TEST(Probability, PctKeepsItsGuarantee) {
  constexpr std::uint32_t kPoints = 5;
  const auto of = [&](std::uint32_t depth) { return exact(*kernel({"ss", "ss"}), pct(depth, kPoints)); };
  EXPECT_NEAR(of(1).at("AABB"), 1.0 / 2, 1e-12);
  EXPECT_EQ(of(1).count("ABBA"), 0u) << "depth 1 does not preempt";
  EXPECT_NEAR(of(2).at("ABBA"), 1.0 / (2 * kPoints), 1e-12);
  EXPECT_EQ(of(2).count("ABAB"), 0u);
  // The second thread to be lowered must end up below the first, which holds for one of the two ways to draw their
  // points.
  EXPECT_NEAR(of(3).at("ABAB"), 1.0 / (2 * kPoints * kPoints), 1e-12);
}

TEST(Probability, PctSaysHowManyExecutionsAreEnough) {
  // 1 - (1 - p)^runs, for p = 1 / 180 and 1 / 10,800.
  EXPECT_EQ(pct_executions_for_99(3, 60, 2), 827);
  EXPECT_EQ(pct_executions_for_99(3, 60, 3), 49'734);
  const auto kernel_of_two = kernel({"ss", "ss"});
  Pct strategy(3, 1);
  Explorer explorer;
  const Result result = explorer.explore(kernel_of_two->scenario, strategy, {.executions = 50});
  // The first execution measures k, and does not count.
  EXPECT_EQ(result.summary, "depth 3 at n=2, k=4: 146 executions give 99 %, 49 count: 78.9 %, not reached");
  EXPECT_NEAR(result.confidence, 1 - std::pow(1 - 1.0 / 32, 49), 1e-12);
}

TEST(Probability, PctMakesAsManyExecutionsAsAreEnough) {
  const auto kernel_of_two = kernel({"ss", "ss"});
  const auto explore = [&](Budget budget) {
    Pct strategy(3, 1);
    return Explorer().explore(kernel_of_two->scenario, strategy, budget);
  };
  const Result enough = explore({.confidence = 0.99});
  EXPECT_EQ(enough.executions, 147u);
  EXPECT_GE(enough.confidence, 0.99);
  EXPECT_EQ(enough.summary, "depth 3 at n=2, k=4: 146 executions give 99 %, 146 count: reached");
  EXPECT_EQ(explore({.executions = 20, .confidence = 0.99}).executions, 20u) << "the cap comes first";
  EXPECT_EQ(explore({.executions = 500}).executions, 500u) << "only if it is requested";
}

}  // namespace
}  // namespace heddle_check
