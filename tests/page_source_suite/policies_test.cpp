// Contracts 4 to 7 of heddle/memory/page_source.hpp: what each policy adds.
#include <thread>
#include <vector>

#include "memory/page_policies.hpp"
#include "page_source_suite/suite.hpp"

namespace heddle::suite {
namespace {

// Sees the budget at the moment at which the policy above asks and gives back.
class WatchingPages final : public PageDecorator {
 public:
  WatchingPages(PageSource& below, const Budget& budget) : PageDecorator(below), budget_(budget) {}
  Status allocate(std::size_t bytes, void** out) override {
    at_allocate = budget_.reserved();
    return PageDecorator::allocate(bytes, out);
  }
  void release(void* segment, std::size_t bytes) noexcept override {
    at_release = budget_.reserved();
    PageDecorator::release(segment, bytes);
  }
  std::size_t at_allocate = 0, at_release = 0;

 private:
  const Budget& budget_;
};

class Policies : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(open_small(&device_).ok()); }
  std::unique_ptr<Device> device_;
};

TEST_F(Policies, Contract4a_TheLimitIsNeverExceeded) {
  DevicePages pages(*device_);
  LedgerPages ledger(pages);
  constexpr std::size_t kBytes = 4096, kThreads = 4, kMost = 10;
  Budget budget(kMost * kBytes + 1);
  LimitedPages limited(ledger, budget);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        std::vector<void*> held;
        for (void* segment = nullptr; held.size() < 4 && limited.allocate(kBytes, &segment).ok();)
          held.push_back(segment);
        EXPECT_LE(ledger.held(), kMost);
        for (void* segment : held) limited.release(segment, kBytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(budget.peak(), budget.limit());
  EXPECT_EQ(budget.reserved(), 0U);
}

TEST_F(Policies, Contract4b_BytesAreReservedBeforeTheyAreObtainedAndFreeAfterTheyWereGivenBack) {
  DevicePages pages(*device_);
  Budget budget(10'000);
  WatchingPages watching(pages, budget);
  LimitedPages limited(watching, budget);
  void* segment = nullptr;
  ASSERT_TRUE(limited.allocate(8192, &segment).ok());
  EXPECT_EQ(watching.at_allocate, 8192U);
  EXPECT_EQ(budget.reserved(), 8192U);
  limited.release(segment, 8192);
  EXPECT_EQ(watching.at_release, 8192U);
  EXPECT_EQ(budget.reserved(), 0U);
}

TEST_F(Policies, Contract4c_ABudgetThatIsUsedUpRefusesWithoutAskingBelow) {
  DevicePages pages(*device_);
  CountedPages counted(pages);
  Budget budget(10'000);
  LimitedPages limited(counted, budget);
  void* segment = nullptr;
  ASSERT_TRUE(limited.allocate(8192, &segment).ok());
  void* refused = this;
  EXPECT_EQ(limited.allocate(4096, &refused).kind(), ErrorKind::kOutOfMemory);
  EXPECT_EQ(refused, nullptr);
  EXPECT_EQ(counted.obtained() + counted.refused(), 1U);
  limited.release(segment, 8192);
}

// The source below fails by a status, or for want of host memory.
class ThrowingPages final : public PageDecorator {
 public:
  explicit ThrowingPages(PageSource& below) : PageDecorator(below) {}
  Status allocate(std::size_t, void**) override { throw std::bad_alloc(); }
};

TEST_F(Policies, Contract4d_AFailureBelowGivesTheReservationBack) {
  DevicePages pages(*device_);
  FaultyPages faulty(pages);
  ThrowingPages throwing(pages);
  Budget budget(10'000);
  LimitedPages over_faulty(faulty, budget), over_throwing(throwing, budget);
  faulty.fail(1, false);
  void* segment = nullptr;
  EXPECT_FALSE(over_faulty.allocate(4096, &segment).ok());
  EXPECT_EQ(budget.reserved(), 0U);
  EXPECT_THROW((void)over_throwing.allocate(4096, &segment), std::bad_alloc);
  EXPECT_EQ(budget.reserved(), 0U);
}

TEST_F(Policies, Contract5a_SegmentsAreCountedByWhatBecameOfThem) {
  DevicePages pages(*device_);
  FaultyPages faulty(pages);
  CountedPages counted(faulty);
  std::vector<void*> segments(3, nullptr);
  for (void*& segment : segments) ASSERT_TRUE(counted.allocate(4096, &segment).ok());
  faulty.fail(1, true);
  void* refused = nullptr;
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(counted.allocate(4096, &refused).ok());
  counted.release(segments[0], 4096);
  EXPECT_EQ(counted.obtained(), 3U);
  EXPECT_EQ(counted.refused(), 2U);
  EXPECT_EQ(counted.released(), 1U);
  counted.release(segments[1], 4096);
  counted.release(segments[2], 4096);
  EXPECT_EQ(counted.released(), 3U);
}

TEST_F(Policies, Allocate_OfTheFaultPolicyFailsAsItsScriptSays) {
  DevicePages pages(*device_);
  FaultyPages faulty(pages);
  const auto works = [&] {
    void* segment = this;
    const Status status = faulty.allocate(4096, &segment);
    EXPECT_EQ(status.ok(), segment != nullptr);
    if (status.ok()) faulty.release(segment, 4096);
    return status.ok();
  };
  faulty.fail(2, false);
  EXPECT_TRUE(works());
  EXPECT_FALSE(works());
  EXPECT_TRUE(works());
  faulty.fail(1, true);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(works());
}

TEST_F(Policies, Allocate_OfTheDelayPolicyTakesAtLeastItsDelay) {
  DevicePages pages(*device_);
  constexpr auto kDelay = std::chrono::milliseconds(2);
  DelayedPages delayed(pages, kDelay);
  void* segment = nullptr;
  const sync::TimePoint start = sync::now();
  ASSERT_TRUE(delayed.allocate(4096, &segment).ok());
  delayed.release(segment, 4096);
  EXPECT_GE(sync::now() - start, 2 * kDelay);
}

}  // namespace
}  // namespace heddle::suite
