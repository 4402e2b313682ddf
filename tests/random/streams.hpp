// StreamModel: a program's knowledge of a stream that a thread records on: the lists that ended, and the errors that it
// carries.
//
// The program does not know where lists end automatically, so a ListModel represents everything between two ends that
// the program made. Errors are bits, one per throwing custom operation of the program; a list's bits name the errors
// that may reach it. Thread safety: a ListModel by any thread; a StreamModel by the thread that holds the stream.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace heddle::programs {

struct ListModel {
  enum State : int { kOpen, kMaybe, kCommitted };  // kMaybe: the library may have committed it

  ListModel(std::uint64_t recorded_on, std::uint64_t carried) : stream(recorded_on), errors(carried) {}
  bool committed() const { return state.load(std::memory_order_acquire) == kCommitted; }
  void maybe_committed() {
    int open = kOpen;
    state.compare_exchange_strong(open, kMaybe);
  }

  const std::uint64_t stream;  // StreamModel::id(); 0: none
  std::atomic<std::uint64_t> errors;
  std::atomic<int> state{kOpen};
};
using ListRef = std::shared_ptr<ListModel>;

class StreamModel {
 public:
  StreamModel() = default;
  StreamModel(const StreamModel&) = delete;
  StreamModel& operator=(const StreamModel&) = delete;

  std::uint64_t id() const { return id_; }
  // The list of the next command.
  const ListRef& list() const { return current_; }
  // The possible errors of everything recorded so far.
  std::uint64_t errors() const { return carried_ | current_->errors.load() | previous_->errors.load(); }
  // The next command uses results of `operand`.
  void use(const ListRef& operand) {
    if (operand->stream == id_) return may_fail(operand->errors.load());
    current_->maybe_committed();  // ordering after another stream closes the list
    may_fail(operand->errors.load());
  }
  void may_fail(std::uint64_t errors) {
    current_->errors.fetch_or(errors);
    carried_ |= errors;
  }
  // A command was recorded for certain.
  void recorded() { recorded_ = true; }
  // A call threw midway: the list may be committed or not.
  void unsure() { current_->maybe_committed(); }
  // The list was committed.
  void committed() {
    current_->state.store(ListModel::kCommitted, std::memory_order_release);
    // Without a command of its own, the stream stays at the same point.
    if (!recorded_) current_->errors.fetch_or(previous_->errors.load());
    recorded_ = false;
    previous_ = std::move(current_);
    current_ = std::make_shared<ListModel>(id_, carried_);
  }
  // Everything is complete, and the errors were thrown.
  void collected() {
    carried_ = 0;
    committed();
  }
  // The handler's place in the order of the stream.
  std::uint64_t next_handler() { return ++handlers_; }
  struct Told {
    std::uint64_t last = 0;  // under the program's mutex
  };
  const std::shared_ptr<Told>& told() const { return told_; }

 private:
  static std::uint64_t next_id() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }
  const std::uint64_t id_ = next_id();
  std::uint64_t carried_ = 0;
  ListRef current_ = std::make_shared<ListModel>(id_, 0);
  ListRef previous_ = std::make_shared<ListModel>(id_, 0);  // nothing from the stream's last holder
  bool recorded_ = false;                                   // in the current list
  std::uint64_t handlers_ = 0;
  const std::shared_ptr<Told> told_ = std::make_shared<Told>();
};

}  // namespace heddle::programs
