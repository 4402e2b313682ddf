#include <memory>

#include "check/scenarios.hpp"
#include "check/scenarios/support.hpp"
#include "heddle/backends/sim/device.hpp"
#include "heddle/stream/lane.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// How often in a row synchronizing throws: an error is reported once.
int errors_of(Lane& lane) {
  int errors = 0;
  for (int i = 0; i < 2; ++i) {
    try {
      lane.synchronize();
    } catch (const Error&) {
      ++errors;
    }
  }
  return errors;
}

// A stream waits for a ticket of another, which may not be committed yet, and whose list may fail.
void a_stream_behind_another() {
  sim::SimDevice device({.auto_run = false});
  const auto writer = make_lane(device, 1), reader = make_lane(device, 2);
  const bool fails = heddle_check::choose(heddle_check::ChoiceKind::kDevice, 2) == 1;
  if (fails) device.fail_execution(writer->id(), Ticket{1}, {ErrorKind::kDeviceError, "a chosen fault"});
  float in = 0, out = 0;
  writer->append(KernelId::kFill, FillArgs{&in, 1, 0x3F800000});  // 1.0
  bool refused = false;
  heddle_check::run_together({{"writer", [&] { writer->commit(); }},
                              {"reader",
                               [&] {
                                 try {
                                   reader->wait_for(*writer, Ticket{1});
                                   reader->append(KernelId::kCopyBytes, CopyBytesArgs{&out, &in, sizeof(in)});
                                   reader->commit();
                                 } catch (const NotCommitted&) {  // per contract: nothing was recorded
                                   refused = true;
                                 }
                               }},
                              {"device", [&] { device.step(); }}});
  while (device.step()) {
  }
  const bool arrives = !fails && !refused;
  heddle_check::require(out == (arrives ? 1.0f : 0.0f), "work ordered after a ticket runs after it, unless it failed");
  heddle_check::require(errors_of(*writer) == int{fails}, "the failed stream reports the error once");
  heddle_check::require(errors_of(*reader) == int{fails && !refused}, "and so does the stream that waited for it");
}

}  // namespace

void add_events(Scenarios& to) {
  to.push_back(
      {.name = "streams_in_order",
       .group = "ticket",
       .threads = 3,
       .body = a_stream_behind_another,
       .limits = {},
       .strategies = {{.name = "bounded", .bound = 2}, {.name = "walk", .executions = 10'000}},
       .claim = "a stream runs after the ticket that it waits for, inherits its error, and each reports it once"});
}

}  // namespace heddle::check
