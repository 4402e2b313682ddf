#include "heddle/shutdown_report.hpp"

#include <gtest/gtest.h>

namespace heddle {
namespace {

TEST(ShutdownReport, SaysInALineThatEverythingEnded) {
  ShutdownReport report;
  report.complete = true;
  report.completed = 7;
  report.failed = 1;
  report.handlers_run = 3;
  EXPECT_EQ(report.text(),
            "shutdown complete: 7 commands complete (1 of them with an error), 0 abandoned; handlers: 3 run, 0 "
            "abandoned, 0 still pending");
}

TEST(ShutdownReport, NamesWhatIsLeft) {
  ShutdownReport report;
  report.abandoned = 2;
  report.handlers_pending = 1;
  report.busy = "stream 3 by thread 12";
  report.leaked_blocks = 10;
  report.leaked_bytes = 100;
  report.leaked_sizes = {30, 20, 10, 10, 5, 5, 5, 5, 5, 5};
  report.bytes_kept = 4096;
  EXPECT_EQ(report.text(),
            "shutdown ran out of time: 0 commands complete (0 of them with an error), 2 abandoned; handlers: 0 run, 0 "
            "abandoned, 1 still pending\n"
            "still recording: stream 3 by thread 12\n"
            "still referred to by tensors: 100 bytes in 10 blocks (30, 20, 10, 10, 5, 5, 5, 5, ...)\n"
            "kept because the device may still use it: 4096 bytes");
}

TEST(ShutdownReport, SaysNothingOfSizesThatCouldNotBeAsked) {
  ShutdownReport report;
  report.leaked_blocks = 2;
  report.leaked_bytes = 12;
  EXPECT_NE(report.text().find("tensors: 12 bytes in 2 blocks"), std::string::npos);
  EXPECT_EQ(report.text().find('(', report.text().find("tensors")), std::string::npos) << report.text();
}

}  // namespace
}  // namespace heddle
