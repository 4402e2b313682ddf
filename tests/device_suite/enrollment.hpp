// How a device enters the conformance suite: an Enrollment, and one INSTANTIATE_TEST_SUITE_P (enroll_null.cpp is the
// shortest).
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "heddle/device/device.hpp"
#include "suite_support/expected_failure.hpp"

namespace heddle {

inline void PrintTo(Ticket ticket, std::ostream* out) { *out << "ticket " << ticket.value; }

namespace suite {

// Keeps a command from ending until a test opens it.
class Gate {
 public:
  void pass() {
    entered_ = true;
    open_.wait(false);
  }
  void open() {
    open_ = true;
    open_.notify_all();
  }
  bool entered() const { return entered_; }

 private:
  std::atomic<bool> entered_{false}, open_{false};
};

// What a device is capable of, as far as DeviceInfo does not say it.
struct Enrollment {
  std::string name;
  // Where it fails, the tests are skipped with its text.
  std::function<Status(std::unique_ptr<Device>*)> open;
  // False: commands are accepted and counted, but write nothing, and functions of the user's do not run.
  bool computes_results = true;
  // Keeps the list, which is about to be submitted to the queue, pending: by a command that stays inside Gate::pass(),
  // or by means of the device. A device that runs lists on the caller only where it needs them needs none.
  std::function<void(Device&, Queue&, CommandList&, std::shared_ptr<Gate>)> hold = nullptr;
  // For a device that can be lost: declares it lost.
  std::function<void(Device&, Status)> lose = nullptr;
  bool faults_need_poll = false;  // poll() finds out, and is called while busy()
  // For a device whose next submit() can be made to fail.
  std::function<void(Device&, Status)> fail_next_submit = nullptr;
  ExpectedFailures expected_failures = {};
};

inline void PrintTo(const Enrollment& enrollment, std::ostream* out) { *out << enrollment.name; }
inline std::string name_of_enrollment(const testing::TestParamInfo<Enrollment>& info) { return info.param.name; }

}  // namespace suite
}  // namespace heddle
