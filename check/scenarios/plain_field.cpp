// The canary of the build that sees races on plain data.
#include "check/scenarios.hpp"
#include "heddle/sync/mutex.hpp"
#include "heddle/sync/plant.hpp"
#include "heddle_check/heddle_check.hpp"

namespace heddle::check {
namespace {

// Two threads change a field that nobody watches. With the plant one of them takes no lock: the field is right in every
// execution all the same, as no thread is switched away from inside an addition.
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
