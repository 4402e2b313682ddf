// The canary of the build that detects races on plain data.
#include "check/scenarios.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Two threads change an unwatched field. With the plant, one of them takes no lock; the field is still right in every
// execution, because no thread is preempted inside an addition.
void two_threads_change_a_field() {
  sync::Mutex mutex{Rank::kLeaf};
  int field = 0;
  heddle_check::run_together({{"first",
                               [&] {
                                 if (HEDDLE_PLANT(plain_field_without_lock)) {
                                   ++field;
                                   return;
                                 }
                                 sync::MutexLock lock(mutex);
                                 ++field;
                               }},
                              {"second", [&] {
                                 sync::MutexLock lock(mutex);
                                 ++field;
                               }}});
  heddle_check::require(field == 2, "both are counted");
}

}  // namespace

void add_plain_field(Scenarios& to) {
  to.push_back({.name = "plain_field",
                .group = "canary",
                .threads = 2,
                .body = two_threads_change_a_field,
                .limits = {},
                .strategies = {{.name = "exhaustive"}},
                .claim = "a field that a lock guards is used in order"});
}

}  // namespace heddle::check
