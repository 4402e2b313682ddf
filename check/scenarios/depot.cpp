#include "heddle/memory/depot.hpp"

#include <array>
#include <memory>

#include "check/scenarios.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr std::size_t kSpan = 4096;
constexpr std::size_t kSpans = 2;

std::byte* at(std::size_t index) {  // apart, so that they do not join
  return reinterpret_cast<std::byte*>((std::uintptr_t{1} << 40) + 2 * index * kSpan);
}

// Two streams take memory of one depot, use it and give it back; a third thread joins neighbours.
void two_streams_one_depot() {
  sim::SimDevice device({.auto_run = false});
  const Limits limits;
  const auto lane = [&](std::uint32_t id) {
    std::unique_ptr<Queue> queue;
    device.create_queue(StreamId{id}, &queue).raise();
    return std::make_unique<Lane>(StreamId{id}, device, std::move(queue), limits, WaitPolicy::kBlock);
  };
  const auto first = lane(1), second = lane(2);
  Depot depot;
  depot.give({{at(0), kSpan}, {at(1), kSpan}}, {first.get(), Ticket{}});
  std::array<heddle_check::Cell<int>, kSpans> use;
  const auto user = [&](Lane& own) {
    const Span span = depot.take(own, kSpan, kSpan);
    if (span.base == nullptr) return;  // it was moving
    use[static_cast<std::size_t>(span.base - at(0)) / (2 * kSpan)].change() += 1;
    depot.give({span}, {&own, Ticket{}});
  };
  heddle_check::run_together(
      {{"first", [&] { user(*first); }}, {"second", [&] { user(*second); }}, {"gatherer", [&] { depot.gather(); }}});
  const Depot::Totals totals = depot.totals();
  heddle_check::require(totals.ready + totals.waiting == kSpans * kSpan, "what was given is there, once");
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
}

}  // namespace heddle::check
