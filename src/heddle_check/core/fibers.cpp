// Carriers on fibers: Boost.Context's switch, with stacks that are kept between executions.
#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <new>
#include <utility>

#include "heddle_check/core/carriers.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEDDLE_CHECK_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HEDDLE_CHECK_ASAN 1
#endif
#if defined(HEDDLE_CHECK_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#elif defined(HEDDLE_CHECK_TSAN)
#include <sanitizer/tsan_interface.h>

#include <thread>
#endif

#if defined(HEDDLE_CHECK_ASAN)
// Keeps locals on the stacks, where the leak checker finds what abandoned threads own. ASAN_OPTIONS overrides this.
extern "C" const char* __asan_default_options() { return "detect_stack_use_after_return=0"; }
#endif

namespace heddle_check {
namespace {

#if defined(HEDDLE_CHECK_ASAN) || defined(HEDDLE_CHECK_TSAN)
constexpr std::size_t kStackBytes = std::size_t{512} << 10;
#else
constexpr std::size_t kStackBytes = std::size_t{256} << 10;
#endif

// A mapping whose lowest page traps.
class Stack {
 public:
  Stack() = default;
  ~Stack() {
    if (base_ != nullptr) munmap(base_, kStackBytes);
  }
  // Objects that an abandoned stack refers to are no leak: under AddressSanitizer the stack stays, and is searched.
  void abandon() {
#if defined(HEDDLE_CHECK_ASAN)
    __lsan_register_root_region(base_, kStackBytes);
    base_ = nullptr;
#endif
  }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  void ensure() {
    if (base_ != nullptr) return;
    void* base = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (base == MAP_FAILED) throw std::bad_alloc();
    mprotect(base, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), PROT_NONE);
    base_ = base;
  }
  void* base() const noexcept { return base_; }
  void* top() const noexcept { return static_cast<std::byte*>(base_) + kStackBytes; }

 private:
  void* base_ = nullptr;
};

// The C++ runtime's record of the exceptions that a thread is handling; the Itanium ABI defines its layout.
struct HandledExceptions {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

HandledExceptions& handled_exceptions() noexcept {
  return *reinterpret_cast<HandledExceptions*>(abi::__cxa_get_globals());  // NOLINT: as the ABI lays it out
}

class Fibers final : public Carriers {
 public:
  Fibers() {
#if defined(HEDDLE_CHECK_TSAN)
    parties_[kRoot].tsan = __tsan_get_current_fiber();
    // The C++ library counts references without locked instructions until a process has started a second thread.
    std::thread([]{}).join();
#endif
  }
  ~Fibers() override {
    for (Party& party : parties_) {
      if (party.inside) party.stack.abandon();
    }
#if defined(HEDDLE_CHECK_TSAN)
    for (unsigned i = 0; i < kMaxThreads; ++i) {
      if (parties_[i].tsan != nullptr && !parties_[i].inside) __tsan_destroy_fiber(parties_[i].tsan);
    }
#endif
  }

  void prepare(unsigned party, Entry entry, void* context) override {
    Party& fiber = parties_[party];
    const bool abandoned = std::exchange(fiber.inside, true);
    if (abandoned) fiber.stack.abandon();
    fiber.stack.ensure();
#if defined(HEDDLE_CHECK_ASAN)
    fiber.fake_stack = nullptr;
    __asan_unpoison_memory_region(fiber.stack.base(), kStackBytes);  // frames that never ended have left their poison
#elif defined(HEDDLE_CHECK_TSAN)
    // A fiber that ended is reused. An abandoned one stays: the sanitizer takes back no fiber that ignores accesses.
    if (fiber.tsan == nullptr || abandoned) fiber.tsan = __tsan_create_fiber(0);
#endif
    fiber.entry = entry;
    fiber.context = context;
    fiber.exceptions = {};
    fiber.at = boost::context::detail::make_fcontext(fiber.stack.top(), kStackBytes, &Fibers::enter);
  }

  void switch_to(unsigned from, unsigned to) override {
    Party& leaving = parties_[from];
    HandledExceptions& exceptions = handled_exceptions();
    leaving.exceptions = exceptions;
    exceptions = parties_[to].exceptions;
    jump(from, to, false);
  }

  void exit_to(unsigned from, unsigned to) override {
    parties_[from].inside = false;
    handled_exceptions() = parties_[to].exceptions;
    jump(from, to, true);
  }

 private:
  struct Party {
    boost::context::detail::fcontext_t at = nullptr;
    Stack stack;
    HandledExceptions exceptions;
    Entry entry = nullptr;
    void* context = nullptr;
    bool inside = false;  // prepared, and not yet ended
#if defined(HEDDLE_CHECK_ASAN)
    void* fake_stack = nullptr;
    const void* stack_bottom = nullptr;  // the root's
    std::size_t stack_bytes = 0;
#elif defined(HEDDLE_CHECK_TSAN)
    void* tsan = nullptr;
#endif
  };

  void jump(unsigned from, unsigned to, [[maybe_unused]] bool last) {
    leaving_ = from;
    arriving_ = to;
#if defined(HEDDLE_CHECK_ASAN)
    const bool root = to == kRoot;
    __sanitizer_start_switch_fiber(last ? nullptr : &parties_[from].fake_stack,
                                   root ? parties_[to].stack_bottom : parties_[to].stack.base(),
                                   root ? parties_[to].stack_bytes : kStackBytes);
#elif defined(HEDDLE_CHECK_TSAN)
    // A switch between threads of the execution orders nothing: their primitives report the order (core/sanitizer.hpp).
    const bool orders = from == kRoot || to == kRoot;
    __tsan_switch_to_fiber(parties_[to].tsan, orders ? 0 : __tsan_switch_to_fiber_no_sync);
#endif
    const boost::context::detail::transfer_t back = boost::context::detail::jump_fcontext(parties_[to].at, this);
    arrive(back.fctx, from);
  }

  void arrive(boost::context::detail::fcontext_t from, [[maybe_unused]] unsigned here) {
    parties_[leaving_].at = from;
#if defined(HEDDLE_CHECK_ASAN)
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(parties_[here].fake_stack, &bottom, &bytes);
    if (leaving_ == kRoot) {
      parties_[kRoot].stack_bottom = bottom;
      parties_[kRoot].stack_bytes = bytes;
    }
#endif
  }

  static void enter(boost::context::detail::transfer_t from) {
    Fibers& self = *static_cast<Fibers*>(from.data);
    const unsigned party = self.arriving_;
    self.arrive(from.fctx, party);
    self.parties_[party].entry(self.parties_[party].context, party);
  }

  std::array<Party, kMaxThreads + 1> parties_;
  unsigned leaving_ = kRoot;
  unsigned arriving_ = kRoot;
};

}  // namespace

std::unique_ptr<Carriers> make_fibers() { return std::make_unique<Fibers>(); }

}  // namespace heddle_check
