// Order across streams: explicit waits, automatic ones, and what a stream that waits says about itself.
#include "heddle/stream/event_access.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "stream/sim_core.hpp"

namespace heddle {
namespace {

const Status kBoom(ErrorKind::kDeviceError, "boom");

TEST(StreamCalls, C29_EachCallMeansItsOwnStream) {
  SimCore sim;
  Log log;
  Lease a = sim.lease();
  const Tensor x = full(sim, {4}, 1.0f);
  Lease b = sim.lease();  // the current one
  const Tensor y = full(sim, {4}, 2.0f);
  EXPECT_FALSE(b.query());
  a.on_complete(log.handler("a"));
  const Event of_a = a.record_event();
  EXPECT_EQ(of_a.ticket(), Ticket{1});
  b.on_complete(log.handler("b"));
  sim.device().set_delay(b.id(), 1000);
  ASSERT_TRUE(sim.device().step());
  EXPECT_EQ(log.wait_for(1), std::vector<std::string>{"a ok"});
  EXPECT_NO_THROW(a.synchronize()) << "must not wait for b";
  EXPECT_TRUE(a.query());
  EXPECT_FALSE(b.query());
  sim.run_all();
  EXPECT_EQ(log.wait_for(2).back(), "b ok");
}

TEST(Stream, OfAThreadIsThatOfItsNewestLease) {
  Runtime runtime;
  const Stream mine = runtime.stream();
  const StreamId own = mine.id();
  {
    Lease lease = runtime.lease();
    EXPECT_EQ(mine.id(), lease.id()) << "a view: it follows the thread";
    EXPECT_EQ(lease.stream().id(), lease.id());
    EXPECT_TRUE(mine.query());
    const Tensor x = full(runtime, {4}, 1.0f);
    EXPECT_FALSE(lease.stream().query());
    EXPECT_TRUE(mine.try_commit());
    EXPECT_NO_THROW(lease.stream().synchronize());
    Lease moved = std::move(lease);
    EXPECT_THROW(lease.stream(), InvalidArgument);  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(moved.stream().id(), moved.id());
  }
  EXPECT_EQ(mine.id(), own);
}

TEST(StreamCalls, C32_QuerySaysNoFromTheRecordingToTheCompletion) {
  SimCore sim;
  EXPECT_TRUE(sim.query());
  const Tensor x = full(sim, {4}, 1.0f);
  EXPECT_FALSE(sim.query()) << "recorded";
  sim.commit();
  EXPECT_FALSE(sim.query()) << "committed";
  sim.run_all();
  EXPECT_TRUE(sim.query());
  EXPECT_NO_THROW(sim.synchronize());
  EXPECT_TRUE(sim.query());
}

TEST(StreamCalls, C59_TheConsumerRunsBehindTheProducerHoweverSlow) {
  SimCore sim;
  Lease producer = sim.lease();
  sim.device().set_delay(producer.id(), 1'000'000);
  const Tensor x = full(sim, {4}, 3.0f);
  const Event made = producer.record_event();
  Lease consumer = sim.lease();
  consumer.wait(made);
  const Tensor y = add(x, x);
  consumer.commit();
  const Tensor z = full(sim, {4}, 1.0f);
  consumer.commit();
  ASSERT_TRUE(sim.device().step());
  EXPECT_TRUE(made.query()) << "the consumer ran first";
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(y.to_host(), std::vector<float>(4, 6.0f));
}

// The wait is part of what a later point on the stream stands behind, although no command was recorded after it.
TEST(StreamCalls, C59_AnEventBehindAWaitAloneStandsBehindWhatWasWaitedFor) {
  SimCore sim;
  Log log;
  Lease a = sim.lease();
  const Tensor x = full(sim, {4}, 3.0f);
  const Event of_a = a.record_event();
  Lease b = sim.lease();
  b.wait(of_a);
  EXPECT_FALSE(b.query()) << "the stream waits";
  const Event of_b = b.record_event();
  b.on_complete(log.handler("b"));
  EXPECT_FALSE(of_b.query()) << "nothing has run yet";
  Lease c = sim.lease();
  sim.device().set_delay(a.id(), 0);
  c.wait(of_b);
  const Tensor y = copy(x);
  c.commit();
  EXPECT_EQ(log.entries().size(), 0u);
  sim.run_all();
  EXPECT_TRUE(of_b.query());
  EXPECT_EQ(log.wait_for(1), std::vector<std::string>{"b ok"});
}

TEST(StreamCalls, R08_SynchronizeBehindAWaitAloneWaitsAndThrowsWhatItInherits) {
  SimCore sim;
  Lease a = sim.lease();
  sim.device().fail_execution(a.id(), Ticket{1}, kBoom);
  const Tensor x = full(sim, {4}, 3.0f);
  const Event of_a = a.record_event();
  Lease b = sim.lease();
  b.wait(of_a);
  const DeviceRunner runner(sim.device());
  EXPECT_THROW(b.synchronize(), DeviceError);
  EXPECT_TRUE(of_a.query());
}

TEST(StreamCalls, C35_AWaitThatNobodyUsedIsNotLeftToTheNextHolder) {
  SimCore sim(exactly(2));
  Lease a = sim.lease();
  sim.device().fail_execution(a.id(), Ticket{1}, kBoom);
  const Tensor x = full(sim, {4}, 3.0f);
  const Event of_a = a.record_event();
  std::optional<Lease> b(sim.lease());
  const StreamId id = b->id();
  b->wait(of_a);
  b.reset();
  const DeviceRunner runner(sim.device());
  std::thread([&] {
    const Lease next = sim.lease();
    EXPECT_EQ(next.id(), id);
    const Tensor y = full(sim, {4}, 4.0f);
    EXPECT_EQ(y.to_host(), std::vector<float>(4, 4.0f)) << "somebody else's error";
  }).join();
}

TEST(StreamCalls, C30_ARefusedUseNamesStreamThreadAndRemedyAndChangesNothing) {
  SimCore sim;
  Lease producer = sim.lease();
  const Tensor x = full(sim, {4}, 3.0f);  // not committed
  const std::uint64_t thread = sync::this_thread_id();
  std::thread([&] {
    Lease consumer = sim.lease();
    const std::string text = text_of<NotCommitted>([&] { relu(x); });
    EXPECT_TRUE(contains(text, "stream " + std::to_string(producer.id().value))) << text;
    EXPECT_TRUE(contains(text, "thread " + std::to_string(thread))) << text;
    EXPECT_TRUE(contains(text, "commit()")) << text;
    EXPECT_TRUE(contains(text, "event")) << text;
    EXPECT_TRUE(consumer.query()) << "nothing was recorded";
    EXPECT_THROW(x.to_host(), NotCommitted);
    EXPECT_TRUE(consumer.query());
  }).join();
  producer.commit();
  const DeviceRunner runner(sim.device());
  std::thread([&] { EXPECT_EQ(relu(x).to_host(), std::vector<float>(4, 3.0f)); }).join();
}

TEST(StreamCalls, C26_AnOperandOfABusyStreamClosesTheListBeforeTheCommandGetsItsTicket) {
  SimCore sim;
  Lease a = sim.lease();
  const Tensor x = full(sim, {4}, 3.0f);
  a.commit();
  Lease b = sim.lease();
  const Tensor own = full(sim, {4}, 1.0f);
  const Tensor y = add(own, x);  // commits `own` first, then waits for a
  const Event end = b.record_event();
  EXPECT_EQ(end.ticket(), Ticket{2});
  const DeviceRunner runner(sim.device());
  EXPECT_NO_THROW(end.wait());
  EXPECT_EQ(y.to_host(), std::vector<float>(4, 4.0f));
}

// A block of attention whose stages run on different streams, on eight threads, against the same on one.
TEST(StreamCalls, C59_AttentionInStagesOnManyStreamsIsWhatItIsOnOne) {
  constexpr std::int64_t kSide = 48;
  Options options;
  options.cpu_kernels = CpuKernels::kPortable;  // the same sums in the same order everywhere
  Runtime runtime(options);
  std::vector<float> values(kSide * kSide);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * 7 % 13) * 0.1f - 0.5f;
  const auto input = [&] { return Tensor::from_host(runtime, values, {kSide, kSide}); };
  const auto scores = [](const Tensor& q, const Tensor& k) { return relu(matmul(q, transpose(k))); };
  Tensor x = input();
  const std::vector<float> expected = matmul(scores(matmul(x, x), matmul(x, relu(x))), x).to_host();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        Lease projection = runtime.lease();
        Tensor own = input();
        Tensor q = matmul(own, own);
        Tensor k = matmul(own, relu(own));
        const Event projected = projection.record_event();
        projection.detach();
        Lease attention = runtime.lease();
        if (round % 2 == 0) attention.wait(projected);  // else the operands bring the wait
        Tensor result = matmul(scores(q, k), own);
        q = k = own = Tensor();
        ASSERT_EQ(result.to_host(), expected);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

// The error came in with a wait; once it is collected, that wait is spent, and the failed result is as failed as
// before.
TEST(StreamCalls, C59_AFailedResultOfAnotherStreamFailsWheneverItIsRead) {
  SimCore sim;
  Lease a = sim.lease();
  sim.device().fail_execution(a.id(), Ticket{1}, kBoom);
  const Tensor x = full(sim, {4}, 3.0f);
  a.commit();
  Lease b = sim.lease();
  const DeviceRunner runner(sim.device());
  for (int i = 0; i < 3; ++i) EXPECT_THROW(x.to_host(), DeviceError) << "reading " << i;
  EXPECT_EQ(full(sim, {4}, 1.0f).to_host(), std::vector<float>(4, 1.0f));
  EXPECT_THROW(a.synchronize(), DeviceError);
  EXPECT_THROW(x.to_host(), DeviceError);
}

// C58: every operand, not just the first, may go as soon as the call has returned.
TEST(StreamCalls, C58_OperandsMayGoWhileTheCommandWaits) {
  SimCore sim;
  Lease a = sim.lease();
  Tensor x = full(sim, {64}, 3.0f);
  a.commit();
  Lease b = sim.lease();
  Tensor y = full(sim, {64}, 4.0f);
  Tensor z = add(x, y);
  x = Tensor();
  y = Tensor();
  std::vector<Tensor> others;
  for (int i = 0; i < 16; ++i) others.push_back(full(sim, {64}, -1.0f));
  a.commit();
  a.detach();
  std::thread([&] {
    a.attach();
    for (int i = 0; i < 16; ++i) full(sim, {64}, -2.0f);
    a.detach();
  }).join();
  const DeviceRunner runner(sim.device());
  EXPECT_EQ(z.to_host(), std::vector<float>(64, 7.0f));
}

TEST(StreamCalls, AnErrorOnOneOfEightStreamsLeavesTheOthersRight) {
  SimCore sim;
  std::vector<Lease> leases;
  std::vector<Tensor> results;
  for (int i = 0; i < 8; ++i) {
    leases.push_back(sim.lease());
    if (i == 3) sim.device().fail_execution(leases.back().id(), Ticket{2}, kBoom);
    const Tensor x = full(sim, {4}, static_cast<float>(i));
    results.push_back(add(x, x));
    leases.back().commit();
  }
  sim.run_all();
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == 3) {
      EXPECT_THROW(leases[i].synchronize(), DeviceError);
      continue;
    }
    EXPECT_NO_THROW(leases[i].synchronize());
  }
  const DeviceRunner runner(sim.device());
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == 3) {
      EXPECT_THROW(results[i].to_host(), DeviceError);
    } else {
      EXPECT_EQ(results[i].to_host(), std::vector<float>(4, 2.0f * static_cast<float>(i)));
    }
  }
}

}  // namespace
}  // namespace heddle
