// World: shared by the threads of one random program: its runtimes, the objects that they exchange, the errors found.
//
// Thread safety: all members from any thread, except the constructor and the destructor.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "heddle/heddle.hpp"
#include "random/executors.hpp"
#include "random/plan.hpp"
#include "random/streams.hpp"
#include "random/value.hpp"

namespace heddle::programs {

// A tensor and its expected contents.
struct Item {
  Tensor tensor;
  Known value;
  ListRef list;  // the list that made it
  std::size_t runtime = 0;
};

// An object that one thread hands to another.
struct Parcel {
  Item item;
  std::optional<Event> event;    // a point after the item was made
  std::optional<HostCopy> copy;  // of the item
  std::uint64_t errors = 0;      // the possible errors of the event and the copy
};

// A lease, and the model of its stream.
struct HeldLease {
  std::size_t runtime = 0;
  std::unique_ptr<StreamModel> stream;
  std::optional<Lease> lease;
};

// The fate of a handler.
struct HandlerRecord {
  std::size_t runtime = 0;
  Delivery delivery = Delivery::kHandlerThread;
  std::uint64_t errors = 0;                 // the possible errors in its status
  std::shared_ptr<StreamModel::Told> told;  // null: the stream is not known for certain
  std::uint64_t order = 0;                  // on that stream
  bool registered = false;
  int times = 0;
  ErrorKind kind = ErrorKind::kOk;
};

class World {
 public:
  explicit World(const Plan& plan);

  const Plan& plan() const { return plan_; }
  Runtime& runtime(std::size_t index) { return *runtimes_[index]; }
  std::size_t runtimes() const { return runtimes_.size(); }

  void wrong(const std::string& what);
  std::string wrongs() const;

  // --- handed from thread to thread ---
  void post(Parcel&& parcel);
  // Fetches one of them, which stays there unless `take`; false: there is none.
  bool fetch(std::uint64_t which, bool take, Parcel* out);
  void leave(HeldLease&& lease);
  std::optional<HeldLease> find_lease();

  // --- custom operations that throw ---
  // The error bit of a new operation; 0 if all bits are used.
  std::uint64_t new_failure(std::string* name);
  // The bit of the operation named in an error's text; 0: none.
  static std::uint64_t failure_in(const std::string& text);

  // --- handlers ---
  std::size_t add_handler(HandlerRecord&& record);
  void registered(std::size_t id) {
    std::lock_guard lock(mutex_);
    handlers_[id].registered = true;
  }
  // Its turn has come: checks the order of its stream.
  void note_turn(std::size_t id);
  // It runs: checks that this is the first time, and the status.
  void note_run(std::size_t id, const Status& status);
  void note_handler_threw(std::size_t runtime) { ++threw_[runtime]; }
  void check_handlers(const std::vector<ShutdownReport>& reports);

  // --- external memory ---
  // Memory that the device can reach, filled with `value`; the deleter counts and overwrites it.
  void* external(std::size_t runtime, const Value& value, std::function<void()>* deleter);
  void check_externals(std::size_t runtime);

  // --- the end ---
  // From now on calls on this runtime may throw Closed; after ended() they must.
  void closing(std::size_t runtime) { closing_[runtime].store(true); }
  bool is_closing(std::size_t runtime) const { return closing_[runtime].load(); }
  void ended(std::size_t runtime) { ended_[runtime].store(true); }
  bool has_ended(std::size_t runtime) const { return ended_[runtime].load(); }
  ShutdownReport shut_down(std::size_t runtime, std::chrono::milliseconds deadline);

  // Executors, for handlers that name one.
  TaskThreads& threads() { return threads_; }
  TaskLoop& loop(std::size_t thread) { return loops_[thread]; }
  TaskLoop& shelf() { return loops_.back(); }
  // Runs a task of each loop; false: there was none.
  bool run_one_task();
  // Drops and runs everything that is left. Call it after the program's threads have ended.
  void drop_everything();
  void run_leftover_tasks();

 private:
  struct External {
    std::shared_ptr<std::byte> memory;
    std::size_t runtime;
    int deleted = 0;
  };

  const Plan plan_;
  mutable std::mutex mutex_;
  std::string wrongs_;
  int wrong_count_ = 0;
  std::deque<Parcel> parcels_;
  std::vector<HeldLease> adrift_;
  std::vector<HandlerRecord> handlers_;
  std::vector<External> externals_;
  int failures_ = 0;
  std::vector<std::atomic<bool>> closing_, ended_;
  std::vector<std::atomic<std::uint64_t>> threw_, told_threw_;
  std::vector<std::optional<ShutdownReport>> reports_;
  std::vector<std::unique_ptr<Runtime>> runtimes_;
  std::vector<TaskLoop> loops_;  // one per thread, and the shelf
  TaskThreads threads_;
};

}  // namespace heddle::programs
