// The example of docs/change/checking.md, as a program outside the tree: a class of another project under heddle-check.
// Fails when a fault is missed, or one is told where there is none.
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <utility>

#include "heddle_check/heddle_check.hpp"

namespace {

struct Shipped {
  using Mutex = std::mutex;
  using ConditionVariable = std::condition_variable_any;
};
struct Checked {
  using Mutex = heddle_check::Mutex;
  using ConditionVariable = heddle_check::ConditionVariable;
};

// A place for one value. `kLooksAgain` false is a fault: a wait may end without a notification.
template <class Sync, bool kLooksAgain = true>
class Mailbox {
 public:
  void put(int value) {
    const std::lock_guard lock(mutex_);
    value_ = value;
    changed_.notify_one();
  }
  std::optional<int> take() {
    const std::lock_guard lock(mutex_);
    if (!value_) changed_.wait(mutex_);
    while (kLooksAgain && !value_) changed_.wait(mutex_);
    return std::exchange(value_, std::nullopt);
  }

 private:
  typename Sync::Mutex mutex_;
  typename Sync::ConditionVariable changed_;
  std::optional<int> value_;
};

template <bool kLooksAgain>
void one_value() {
  Mailbox<Checked, kLooksAgain> mailbox;  // all that an execution uses is made anew
  heddle_check::run_together({{"sender", [&] { mailbox.put(7); }},
                              {"receiver", [&] { heddle_check::require(mailbox.take() == 7, "the value arrives"); }}});
}

heddle_check::Scenario scenario(void (*body)()) {
  return {.name = "mailbox", .threads = 2, .body = body, .limits = {.spurious_wakeups = 1}};
}

}  // namespace

int main() {
  Mailbox<Shipped> shipped;  // the same source with the primitives of std
  shipped.put(7);
  if (shipped.take() != 7) return 1;

  heddle_check::Explorer explorer;
  const auto explore = [&](void (*body)()) {
    return explorer.explore(scenario(body), *heddle_check::make_strategy({.name = "exhaustive"}, 1), {});
  };
  const heddle_check::Result right = explore(one_value<true>);
  std::printf("right: %llu executions, %s\n", static_cast<unsigned long long>(right.executions),
              right.exhausted && !right.failed() ? "all that there are" : right.failure.text.c_str());
  const heddle_check::Result wrong = explore(one_value<false>);
  std::printf("wrong: %s: %s\n%s", heddle_check::name_of(wrong.failure.kind), wrong.failure.text.c_str(),
              wrong.trace.c_str());
  const heddle_check::Replayed again = explorer.replay(scenario(one_value<false>), wrong.decisions);
  return right.exhausted && !right.failed() && wrong.failed() && again.trace_hash == wrong.trace_hash ? 0 : 1;
}
