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

// A list of one command on each of two streams, the second ordered after the first by a wait. Meanwhile an agent, as
// the device, completes any list that it may, as late as it may, and at most one list fails.
void agent_of_two_streams() {
  sim::SimDevice device({.auto_run = false});
  const std::array<std::unique_ptr<Queue>, 2> queues{make_queue(device, kFirst.value),
                                                     make_queue(device, kSecond.value)};
  Queue& first = *queues[0];
  Queue& second = *queues[1];
  // 1: the list that the other stream waits for; 2: the one that no stream waits for.
  const std::uint32_t fault = heddle_check::choose(heddle_check::ChoiceKind::kDevice, 3);
  if (fault != 0) device.fail_execution(kFirst, Ticket{fault}, {ErrorKind::kDeviceError, "a chosen fault"});
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
  require(!device.step(), "each of them closes once");
  const bool failed[] = {fault == 1, fault == 1, fault != 0};  // by cell: its own, inherited, its own or sticky
  for (std::size_t i = 0; i < cells.size(); ++i) {
    require(cells[i] == (failed[i] ? 0.0f : 1.0f), "failed lists wrote nothing, and all others did");
  }
  const Queue* const of[] = {&first, &second, &first};
  const Ticket tickets[] = {Ticket{1}, Ticket{1}, Ticket{2}};
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    require(of[i]->failures().status_of(tickets[i]).ok() == !failed[i], "dependents inherit the error, others do not");
    done += failed[i] ? 0 : 1;
  }
  require(device.executed()[static_cast<std::size_t>(KernelId::kFill)] == done,
          "the counts match the executed commands");
}

}  // namespace

void add_device_agent(Scenarios& to) {
  to.push_back({.name = "device_agent",
                .group = "device",
                .threads = 2,
                .body = agent_of_two_streams,
                .limits = {},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 20'000}},
                .claim = "in every order, with every fault, each ticket closes once and dependents inherit the error"});
}

}  // namespace heddle::check
