// World: what the threads of one random program share: its runtimes, what they hand to each other, what went wrong.
//
// Thread safety: all members from any thread, but the constructor and the destructor.
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

// A tensor and what it must hold.
struct Item {
  Tensor tensor;
  Known value;
  ListRef list;  // that made it
  std::size_t runtime = 0;
};

// Something that one thread hands to another.
struct Parcel {
  Item item;
  std::optional<Event> event;    // a point after the item was made
  std::optional<HostCopy> copy;  // of the item
  std::uint64_t errors = 0;      // that the event and the copy may carry
};

// A lease, and what is known of its stream.
struct HeldLease {
  std::size_t runtime = 0;
  std::unique_ptr<StreamModel> stream;
  std::optional<Lease> lease;
};

// What became of a handler.
struct HandlerRecord {
  std::size_t runtime = 0;
  Delivery delivery = Delivery::kHandlerThread;
  std::uint64_t errors = 0;                 // that it may be told
  std::shared_ptr<StreamModel::Told> told;  // null: the stream is not known for sure
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
  // One of them, which stays there unless it is taken; false: there is none.
  bool fetch(std::uint64_t which, bool take, Parcel* out);
  void leave(HeldLease&& lease);
  std::optional<HeldLease> find_lease();

  // --- custom operations that throw ---
  // The error bit of a new one; 0 when there are as many as there are bits.
  std::uint64_t new_failure(std::string* name);
  // The bit of the operation that the text of an error names; 0: of none.
  static std::uint64_t failure_in(const std::string& text);

  // --- handlers ---
  std::size_t add_handler(HandlerRecord&& record);
  void registered(std::size_t id) {
    std::lock_guard lock(mutex_);
    handlers_[id].registered = true;
  }
  // Its turn has come: checks the order of its stream.
  void note_turn(std::size_t id);
  // It runs: checks that it is the first time, and the status.
  void note_run(std::size_t id, const Status& status);
  void note_handler_threw(std::size_t runtime) { ++threw_[runtime]; }
  void check_handlers(const std::vector<ShutdownReport>& reports);

  // --- external memory ---
  // Memory that the device can reach, with `value` in it; the deleter counts and spoils it.
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
  // A task of each loop; false: there was none.
  bool run_one_task();
  // Drops and runs all that is left. When the threads of the program have ended.
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
  std::vector<TaskLoop> loops_;  // one for each thread, and the shelf
  TaskThreads threads_;
};

}  // namespace heddle::programs
