// The null device in the suite: what needs results or pending work is skipped.
#include "device_suite/suite.hpp"
#include "heddle/backends/null/open.hpp"

namespace heddle::suite {
namespace {

const Enrollment kNull{.name = "null", .open = open_null, .computes_results = false};

INSTANTIATE_TEST_SUITE_P(null, DeviceSuite, testing::Values(kNull), name_of_enrollment);

}  // namespace
}  // namespace heddle::suite
