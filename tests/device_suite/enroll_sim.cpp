// The simulated device in the suite: one that announces its progress, and one that does not.
#include "device_suite/suite.hpp"
#include "heddle/backends/sim/device.hpp"

namespace heddle::suite {
namespace {

sim::SimDevice& sim_of(Device& device) { return static_cast<sim::SimDevice&>(device); }

Enrollment simulated(std::string name, bool announces) {
  constexpr std::size_t kBytes = std::size_t{256} << 20;
  return {.name = std::move(name),
          .open = [=](std::unique_ptr<Device>* out) { return open_sim({true, announces, kBytes}, out); },
          // Later in virtual time than whatever another queue does.
          .hold = [](Device& device, Queue& queue, CommandList&,
                     const std::shared_ptr<Gate>&) { sim_of(device).set_delay(queue.stream(), 1'000'000'000); },
          .lose = [](Device& device, Status status) { sim_of(device).lose(std::move(status)); },
          .fail_next_submit = [](Device& device, Status status) { sim_of(device).fail_submit(1, std::move(status)); },
          .expected_failures = {{"Help_RunsNothingThatTheQueueDoesNotNeed",
                                 "lists run in the order of their virtual times, whoever helps"}}};
}

INSTANTIATE_TEST_SUITE_P(sim, DeviceSuite, testing::Values(simulated("announcing", true), simulated("silent", false)),
                         name_of_enrollment);

}  // namespace
}  // namespace heddle::suite
