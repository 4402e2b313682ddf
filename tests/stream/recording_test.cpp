#include "heddle/stream/recording.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "heddle/heddle.hpp"

namespace heddle {
namespace {

TEST(Lease, MovesWithItsStream) {
  Runtime runtime;
  Lease first = runtime.lease();
  const StreamId id = first.id();
  const Lease second = std::move(first);
  EXPECT_EQ(second.id(), id);
  EXPECT_EQ(runtime.stream(), id);
}

TEST(Recording, FollowsTheNewestLeaseOfItsThread) {
  Runtime runtime;
  std::thread([&] {
    const Lease lease = runtime.lease();
    Recording recording(runtime.core().pool());
    EXPECT_EQ(recording.lane().id(), lease.id());
    EXPECT_TRUE(recording.lane().idle());
  }).join();
}

}  // namespace
}  // namespace heddle
