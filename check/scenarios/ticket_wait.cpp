#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/stream/ticket_parking.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// A thread parks until a ticket passes, which the device may complete at any moment.
class Wakes final : public CompletionListener {
 public:
  explicit Wakes(TicketParking& parking) : parking_(parking) {}
  void on_progress(Queue&) noexcept override { parking_.wake(); }

 private:
  TicketParking& parking_;
};

// One or two threads wait for each of `tickets` tickets, one after another, as Lane::wait() does.
void wait_for_tickets(int waiters, std::uint64_t tickets) {
  TicketParking parking;
  Wakes wakes(parking);
  sim::SimDevice device({.auto_run = false});
  device.set_listener(&wakes);
  const std::unique_ptr<Queue> queue = make_queue(device);
  float cell = 0;
  for (std::uint64_t ticket = 1; ticket <= tickets; ++ticket) submit_fill(device, *queue, ticket, &cell);
  const sync::Atomic<bool> stop{false};
  const auto waits = [&] {
    for (std::uint64_t ticket = 1; ticket <= tickets; ++ticket) {
      const sync::Deadline deadline = sync::Deadline::after(kSoon);
      while (queue->completed() < Ticket{ticket} && !deadline.passed()) {
        parking.park(*queue, Ticket{ticket}, deadline, stop);
      }
    }
  };
  const auto completes = [&] {
    for (std::uint64_t ticket = 1; ticket <= tickets; ++ticket) heddle_check::require(device.step(), "a list is due");
  };
  if (waiters == 1) {
    heddle_check::run_together({{"waiter", waits}, {"device", completes}});
  } else {
    heddle_check::run_together({{"first", waits}, {"second", waits}, {"device", completes}});
  }
  heddle_check::require(!queue->watched(), "no thread watches any more");
}

void wait_for_a_ticket() {
  TicketParking parking;
  Wakes wakes(parking);
  sim::SimDevice device({.auto_run = false});
  device.set_listener(&wakes);
  const std::unique_ptr<Queue> queue = make_queue(device);
  float cell = 0;
  submit_fill(device, *queue, 1, &cell);
  const sync::Atomic<bool> stop{false};
  heddle_check::run_together({{"waiter",
                               [&] {
                                 while (queue->completed() < Ticket{1}) {
                                   parking.park(*queue, Ticket{1}, sync::Deadline::never(), stop);
                                 }
                               }},
                              {"device", [&] { heddle_check::require(device.step(), "a list is due"); }}});
  heddle_check::require(!queue->watched(), "no thread watches any more");
}

}  // namespace

void add_ticket_wait(Scenarios& to) {
  to.push_back({.name = "ticket_wait",
                .group = "ticket",
                .threads = 2,
                .body = wait_for_a_ticket,
                .limits = {.spurious_wakeups = 1},
                .strategies = {{.name = "exhaustive"}, {.name = "walk", .executions = 50'000}},
                .claim = "a thread that parks for a ticket continues once the ticket has passed"});
  to.push_back({.name = "ticket_wait_2x4",
                .group = "ticket",
                .threads = 2,
                .body = [] { wait_for_tickets(1, 3); },
                .limits = all_choices(),
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "the same with three waits with a deadline, one after another"});
  to.push_back({.name = "ticket_wait_3x2",
                .group = "ticket",
                .threads = 3,
                .body = [] { wait_for_tickets(2, 1); },
                .limits = all_choices(),
                .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
                .claim = "the same with two threads that wait for one ticket, with a deadline"});
}

}  // namespace heddle::check
