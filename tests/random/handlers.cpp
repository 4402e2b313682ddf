// Completion handlers of random programs: where they run, what they check, what they do.
#include <fmt/format.h>

#include <stdexcept>
#include <thread>

#include "random/actor.hpp"

namespace heddle::programs {
namespace {

// One per handler, so that it knows whose turn it is.
class HandlerExecutor : public Executor {
 public:
  HandlerExecutor(World& world, Delivery delivery, std::size_t id, TaskLoop* loop)
      : world_(world), delivery_(delivery), id_(id), loop_(loop) {}

  void execute(std::function<void()> task) override {
    world_.note_turn(id_);
    switch (delivery_) {
      case Delivery::kInline: return task();
      case Delivery::kThreads: return world_.threads().add(std::move(task));
      case Delivery::kLoop: return loop_->add(std::move(task));
      case Delivery::kShelf: return world_.shelf().add(std::move(task));
      case Delivery::kThrown: throw std::runtime_error("the executor refuses");
      case Delivery::kHandlerThread:
      case Delivery::kDropped: return;
    }
  }

 private:
  World& world_;
  const Delivery delivery_;
  const std::size_t id_;
  TaskLoop* const loop_;
};

struct HandlerRun {
  World& world;
  std::size_t id, runtime;
  std::uint64_t errors;
  Delivery delivery;
  int depth;
  std::uint64_t seed;
  std::shared_ptr<Parcel> payload;

  void wrong(const std::string& what) const { world.wrong(fmt::format("handler {}: {}", id, what)); }
  // Includes handlers whose task is dropped: they receive their status there.
  bool on_handler_thread() const {
    return delivery != Delivery::kThreads && delivery != Delivery::kLoop && delivery != Delivery::kShelf;
  }
};

void check_payload(const HandlerRun& run, const Status& status) {
  if (!run.payload->copy || !status.ok()) return;
  if (!run.payload->copy->ready()) return run.wrong("ran ok before a copy that was recorded before it");
  const Item& item = run.payload->item;
  try {
    const auto found = run.payload->copy->values();
    if (!run.world.plan().computes() && !item.tensor.is_contiguous()) return;
    const std::string what = difference(*item.value, found);
    if (!what.empty()) run.wrong("host copy: " + what);
  } catch (const DeviceError&) {
    run.wrong("ran ok, and the copy recorded before it has an error");
  }
}

void do_something(const HandlerRun& run, Dice& dice) {
  World& world = run.world;
  Runtime& runtime = world.runtime(run.runtime);
  switch (dice.below(10)) {
    case 0: {
      world.note_handler_threw(run.runtime);
      throw std::runtime_error("from a handler");
    }
    case 1:
      if (run.depth < 2) {
        add_handler({world, run.runtime, nullptr, nullptr, 0, world.plan().fails ? ~std::uint64_t{0} : 0, nullptr,
                     run.depth + 1},
                    dice, std::make_shared<Parcel>());
      }
      break;
    case 2: {
      const Tensor made = full(runtime, {static_cast<std::int64_t>(1 + dice.below(2000))}, 1.0F);
      if (dice.one_in(2)) runtime.try_commit();
      break;
    }
    case 3: {
      const Item& item = run.payload->item;
      if (!item.tensor.defined()) break;
      const Tensor copied = copy(item.tensor);
      if (run.on_handler_thread()) {
        copied.to_host_async();  // dropped immediately
        break;
      }
      const std::vector<float> found = copied.to_host();
      if (!world.plan().computes()) break;
      const std::string what = difference(*item.value, found);
      if (!what.empty()) run.wrong("a copy made in it: " + what);
      break;
    }
    case 4: {
      full(runtime, {4}, 1.0F);
      runtime.synchronize();
      if (!runtime.query()) run.wrong("synchronize() returned with work undone");
      break;
    }
    case 5: {
      const Lease lease = runtime.lease();
      full(runtime, {4}, 1.0F);
      break;
    }
    case 6:
      if (!run.on_handler_thread()) break;
      runtime.shutdown();
      run.wrong("shutdown() on the handler thread returned");
      break;
    case 7: std::this_thread::sleep_for(std::chrono::microseconds(dice.below(200))); break;
    default: break;
  }
}

void run_handler(const HandlerRun& run, const Status& status) {
  if (run.delivery == Delivery::kHandlerThread) run.world.note_turn(run.id);
  run.world.note_run(run.id, status);
  check_payload(run, status);
  Dice dice(run.seed);
  const Plan& plan = run.world.plan();
  try {
    do_something(run, dice);
  } catch (const WouldBlock&) {  // on the handler thread, or because there is no room
    if (!run.on_handler_thread() && !plan.full_lines && !plan.scarce) run.wrong("WouldBlock in a thread of our own");
  } catch (const Timeout&) {
    if (!plan.full_lines) run.wrong("Timeout");
  } catch (const NotCommitted&) {
    if (!run.payload->item.tensor.defined()) run.wrong("NotCommitted, and it used no tensor");
  } catch (const PoolExhausted&) {
    if (!plan.scarce) run.wrong("PoolExhausted, and there are streams for all");
  } catch (const OutOfMemory&) {
    if (!plan.limited) run.wrong("OutOfMemory, and there is enough");
  } catch (const DeviceError& error) {
    if (!plan.fails) run.wrong(fmt::format("nothing fails, and yet: {}", error.what()));
    try {
      run.world.runtime(run.runtime).synchronize();  // the stream continues
    } catch (const Error&) {
    }
  } catch (const Closed&) {
    if (!run.world.is_closing(run.runtime)) run.wrong("Closed, and no thread shut down");
  } catch (const Error& error) {
    run.wrong(fmt::format("{}: {}", name_of(error.kind()), error.what()));
  }
  *run.payload = {};  // freed here
}

Delivery choose(const Registration& registration, Dice& dice) {
  constexpr Delivery kChoices[] = {Delivery::kHandlerThread, Delivery::kHandlerThread, Delivery::kHandlerThread,
                                   Delivery::kInline,        Delivery::kThreads,       Delivery::kThreads,
                                   Delivery::kLoop,          Delivery::kLoop,          Delivery::kDropped,
                                   Delivery::kThrown,        Delivery::kShelf};
  const Delivery delivery = kChoices[dice.below(std::size(kChoices))];
  if (delivery == Delivery::kLoop && registration.loop == nullptr) return Delivery::kThreads;
  // A shutdown waits for handlers on the shelf, until its deadline.
  if (delivery == Delivery::kShelf && !registration.world.plan().hurried) return Delivery::kThreads;
  return delivery;
}

}  // namespace

void add_handler(const Registration& registration, Dice& dice, std::shared_ptr<Parcel> payload) {
  World& world = registration.world;
  const Delivery delivery = choose(registration, dice);
  const std::size_t id = world.add_handler({.runtime = registration.runtime,
                                            .delivery = delivery,
                                            .errors = registration.errors,
                                            .told = registration.told,
                                            .order = registration.order});
  HandlerOptions options;
  options.name = fmt::format("handler {}", id);
  if (delivery != Delivery::kHandlerThread) {
    options.executor = std::make_shared<HandlerExecutor>(world, delivery, id, registration.loop);
  }
  CompletionHandler handler =
      [run = HandlerRun{world, id, registration.runtime, registration.errors, delivery, registration.depth, dice.draw(),
                        std::move(payload)}](const Status& status) { run_handler(run, status); };
  if (registration.lease != nullptr) {
    registration.lease->on_complete(std::move(handler), std::move(options));
  } else {
    world.runtime(registration.runtime).on_complete(std::move(handler), std::move(options));
  }
  world.registered(id);
}

}  // namespace heddle::programs
