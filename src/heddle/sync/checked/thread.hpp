// sync/thread.hpp in the checked build: threads of the checker. Thread 0 of an execution is its main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "heddle/detail/namespace.hpp"
#include "heddle/error.hpp"
#include "heddle_check/choices.hpp"
#include "heddle_check/clock.hpp"
#include "heddle_check/mutex.hpp"
#include "heddle_check/thread.hpp"

namespace HEDDLE_NS::sync {

class Thread {
 public:
  Thread() = default;
  Thread(std::string name, std::function<void()> body, heddle_check::Site site = heddle_check::Site::current())
      : native_(startable(std::move(name)), std::move(body), site) {}

  bool joinable() const noexcept { return native_.joinable(); }
  void join(heddle_check::Site site = heddle_check::Site::current()) {
    heddle_check::require_no_locks_held("joining a thread", site);
    native_.join(site);
  }

 private:
  static std::string startable(std::string name) {
    if (heddle_check::thread_fails()) throw ThreadNotStarted("the thread " + name + " could not be started: a choice");
    return name;
  }

  heddle_check::Thread native_;
};

inline unsigned available_processors() noexcept { return 2; }
// One processor per thread, so that threads which spin only on a processor of their own do spin.
inline int current_processor() noexcept { return static_cast<int>(heddle_check::this_thread()); }
inline void prefer_short_turns() noexcept {}
inline std::uint64_t this_thread_id() noexcept { return heddle_check::this_thread() + std::uint64_t{1}; }
inline bool is_main_thread() noexcept { return heddle_check::this_thread() == 0; }
inline void yield(heddle_check::Site site = heddle_check::Site::current()) noexcept { heddle_check::yield(site); }
inline void spin_wait(heddle_check::Site site = heddle_check::Site::current()) noexcept { heddle_check::yield(site); }

}  // namespace HEDDLE_NS::sync
