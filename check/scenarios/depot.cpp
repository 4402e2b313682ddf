#include "heddle/memory/depot.hpp"

#include <array>
#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kSpan = 4096;
constexpr std::size_t kSpans = 2;

std::byte* at(std::size_t index) {  // separate, so that they do not merge
  return reinterpret_cast<std::byte*>((std::uintptr_t{1} << 40) + 2 * index * kSpan);
}

// Two streams take memory from one depot, use it and return it; a third thread merges neighbors.
void two_streams_one_depot() {
  sim::SimDevice device({.auto_run = false});
  const auto first = make_lane(device, 1), second = make_lane(device, 2);
  Depot depot;
  depot.give({{at(0), kSpan}, {at(1), kSpan}}, {first.get(), Ticket{}});
  std::array<heddle_check::Cell<int>, kSpans> use;
  const auto user = [&](Lane& own) {
    const Span span = depot.take(own, kSpan, kSpan);
    if (span.base == nullptr) return;  // the span was in transit
    use[static_cast<std::size_t>(span.base - at(0)) / (2 * kSpan)].change() += 1;
    depot.give({span}, {&own, Ticket{}});
  };
  heddle_check::run_together(
      {{"first", [&] { user(*first); }}, {"second", [&] { user(*second); }}, {"gatherer", [&] { depot.gather(); }}});
  const Depot::Totals totals = depot.totals();
  heddle_check::require(totals.ready + totals.waiting == kSpans * kSpan, "every returned span is there, once");
}

// `users` streams take memory from one depot, use it and return it, `rounds` times each.
void streams_take_and_give(std::size_t users, int rounds) {
  sim::SimDevice device({.auto_run = false});
  std::array<std::unique_ptr<Lane>, 3> lanes;
  for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i] = make_lane(device, static_cast<std::uint32_t>(i) + 1);
  Depot depot;
  depot.give({{at(0), kSpan}, {at(1), kSpan}}, {lanes[0].get(), Ticket{}});
  std::array<heddle_check::Cell<int>, kSpans> use;
  const auto user = [&](std::size_t who) {
    for (int i = 0; i < rounds; ++i) {
      const Span span = depot.take(*lanes[who], kSpan, kSpan);
      heddle_check::require(span.base != nullptr || users > kSpans, "available memory is handed out");
      if (span.base == nullptr) continue;
      use[static_cast<std::size_t>(span.base - at(0)) / (2 * kSpan)].change() += 1;
      depot.give({span}, {lanes[who].get(), Ticket{}});
    }
  };
  if (users == 2) {
    heddle_check::run_together({{"first", [&] { user(0); }}, {"second", [&] { user(1); }}});
  } else {
    heddle_check::run_together(
        {{"first", [&] { user(0); }}, {"second", [&] { user(1); }}, {"third", [&] { user(2); }}});
  }
  const Depot::Totals totals = depot.totals();
  heddle_check::require(totals.ready + totals.waiting == kSpans * kSpan, "every returned span is there, once");
}

// A stream returns a span that its committed list still uses; another requests it while the device completes the list.
void span_that_is_in_use() {
  sim::SimDevice device({.auto_run = false});
  const auto user = make_lane(device, 1), other = make_lane(device, 2);
  float cell = 0;
  user->append(KernelId::kFill, FillArgs{&cell, 1, 0x3F800000});  // 1.0
  user->commit();
  Depot depot;
  depot.give({{at(0), kSpan}}, {user.get(), user->issued()});
  Span taken;
  heddle_check::run_together({{"device", [&] { heddle_check::require(device.step(), "a list is due"); }},
                              {"other", [&] {
                                 taken = depot.take(*other, kSpan, kSpan);
                                 heddle_check::require(taken.base == nullptr || cell == 1.0f,
                                                       "the new owner may write");
                               }}});
  if (taken.base == nullptr) taken = depot.take(*other, kSpan, kSpan);
  heddle_check::require(taken.base == at(0), "the span is free once the list is done");
}

}  // namespace

void add_depot(Scenarios& to) {
  to.push_back({.name = "depot",
                .group = "memory",
                .threads = 3,
                .body = two_streams_one_depot,
                .limits = {},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 20'000}},
                .claim = "a depot hands no span to two streams, and loses none"});
  to.push_back({.name = "depot_2x4",
                .group = "memory",
                .threads = 2,
                .body = [] { streams_take_and_give(2, 2); },
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "the same with two streams and four operations each"});
  to.push_back({.name = "depot_3x2",
                .group = "memory",
                .threads = 3,
                .body = [] { streams_take_and_give(3, 1); },
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "the same with three streams and two operations each"});
  to.push_back({.name = "depot_in_use",
                .group = "memory",
                .threads = 2,
                .body = span_that_is_in_use,
                .limits = {.stale_reads = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 20'000}},
                .claim = "memory that a stream returns goes to another one only after its last use is complete"});
}

}  // namespace heddle::check
