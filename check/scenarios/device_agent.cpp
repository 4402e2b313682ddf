#include <array>
#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/sync/thread.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

constexpr StreamId kFirst{1}, kSecond{2};

// A list of one command each to two streams, the second after the first by a wait. Meanwhile an agent, which is the
// device, completes whichever list it may, as late as it may, and one list fails or none.
void agent_of_two_streams() {
  sim::SimDevice device({.auto_run = false});
  const std::array<std::unique_ptr<Queue>, 2> queues{make_queue(device, kFirst.value),
                                                     make_queue(device, kSecond.value)};
  Queue& first = *queues[0];
  Queue& second = *queues[1];
  // 1: the list that the other waits for; 2: one that nobody waits for.
  const std::uint32_t fault = heddle_check::choose(heddle_check::ChoiceKind::kDevice, 3);
  if (fault != 0) device.fail_execution(kFirst, Ticket{fault}, {ErrorKind::kDeviceError, "a fault that was chosen"});
  std::array<float, 3> cells{};
  heddle_check::run_together({{"recorder",
                               [&] {
                                 submit_fill(device, first, 1, &cells[0]);
                                 device.wait_on(second, first, Ticket{1}).raise();
                                 submit_fill(device, second, 1, &cells[1]);
                                 submit_fill(device, first, 2, &cells[2]);
                               }},
                              {"agent", [&] {
                                 for (int lists = 0; lists < 3;) {
                                   const auto ready = device.ready();
                                   if (ready.empty()) {
                                     sync::yield();
                                     continue;
                                   }
                                   const auto which = heddle_check::choose(heddle_check::ChoiceKind::kDevice,
                                                                           static_cast<std::uint32_t>(ready.size()));
                                   lists += int{device.step(ready[which])};
                                 }
                               }}});
  using heddle_check::require;
  require(first.completed() == Ticket{2} && second.completed() == Ticket{1}, "every ticket is closed");
  require(!device.step(), "each of them once");
  const bool failed[] = {fault == 1, fault == 1, fault != 0};  // by cell: its own, inherited, its own or sticky
  for (std::size_t i = 0; i < cells.size(); ++i) {
    require(cells[i] == (failed[i] ? 0.0f : 1.0f), "what failed wrote nothing, and all else did");
  }
  const Queue* const of[] = {&first, &second, &first};
  const Ticket tickets[] = {Ticket{1}, Ticket{1}, Ticket{2}};
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    require(of[i]->failures().status_of(tickets[i]).ok() == !failed[i], "dependents inherit the error, others do not");
    done += failed[i] ? 0 : 1;
  }
  require(device.executed()[static_cast<std::size_t>(KernelId::kFill)] == done, "what is counted is what ran");
}

}  // namespace

void add_device_agent(Scenarios& to) {
  to.push_back({.name = "device_agent",
                .group = "device",
                .threads = 2,
                .body = agent_of_two_streams,
                .limits = {},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 20'000}},
                .claim = "whatever order and fault the device chooses, tickets close once and dependents inherit it"});
}

}  // namespace heddle::check
