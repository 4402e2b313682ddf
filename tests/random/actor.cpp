#include "random/actor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace heddle::programs {

namespace {
constexpr std::size_t kSlots = 5;
constexpr int kOutOfMemoryMost = 3;  // each may wait for 2 s; after that the thread stops
}  // namespace

Actor::Actor(World& world, int index) : world_(world), index_(index), sides_(world.runtimes()) {
  for (Side& side : sides_) side.slots.resize(kSlots);
}

void Actor::wrong(const std::string& what) {
  world_.wrong(fmt::format("thread {}, step {}, runtime {}: {}", index_, step_, now_, what));
}

void Actor::step(int number) {
  Dice dice(plan().seed, static_cast<std::uint64_t>(index_), static_cast<std::uint64_t>(number));
  step_ = number;
  if (out_of_memory_ >= kOutOfMemoryMost) return;
  touched_.clear();
  errors_ = 0;
  uncommitted_ = refusable_ = false;
  now_ = dice.one_in(3) ? dice.below(sides_.size()) : 0;
  try {
    if (plan().shutdown_step == number && index_ == 0) {
      shut_down(dice);
    } else if (world_.has_ended(now_)) {
      after_the_end(dice);
    } else {
      act(dice);
    }
  } catch (const Error& error) {
    judge(error);
  } catch (const std::exception& error) {
    wrong(fmt::format("an exception other than heddle::Error: {}", error.what()));
  }
  for (std::uint64_t tasks = dice.below(3); tasks > 0; --tasks) {
    // A handler that runs here may end this thread's lists.
    if (world_.loop(static_cast<std::size_t>(index_)).run_one()) all_unsure();
  }
}

void Actor::judge(const Error& error) {
  stream().unsure();
  const std::string text = fmt::format("{}: {}", name_of(error.kind()), error.what());
  switch (error.kind()) {
    case ErrorKind::kNotCommitted:
      if (!uncommitted_) wrong("its operands are committed, and yet " + text);
      break;
    case ErrorKind::kClosed:
      if (!world_.is_closing(now_)) wrong("no thread shut down, and yet " + text);
      break;
    case ErrorKind::kOutOfMemory:
      if (!plan().limited) wrong(text);
      // Frees memory, so that a program near its limit continues.
      if (++out_of_memory_ % 2 == 0) side().slots.assign(kSlots, {});
      break;
    case ErrorKind::kPoolExhausted:
      if (!plan().scarce) wrong("there are streams for all, and yet " + text);
      break;
    case ErrorKind::kWouldBlock:
    case ErrorKind::kTimeout:
      if (!refusable_) wrong(text);
      break;
    case ErrorKind::kDeviceError: {
      std::uint64_t allowed = errors_ | stream().errors();
      for (const ListRef& list : touched_) allowed |= list->errors.load();
      const std::uint64_t whose = World::failure_in(error.what());
      if ((whose & allowed) == 0) wrong("an error that is not this stream's or its operands': " + text);
      collect();
      break;
    }
    default: wrong(text);
  }
}

// Discards the stream's error, so that the stream continues.
void Actor::collect() {
  try {
    runtime().synchronize();
    stream().collected();
  } catch (const DeviceError& error) {
    if ((World::failure_in(error.what()) & stream().errors()) == 0) wrong(fmt::format("collected: {}", error.what()));
    stream().collected();
  } catch (const Closed&) {
    if (!world_.is_closing(now_)) wrong("Closed, and no thread shut down");
  } catch (const PoolExhausted&) {
    if (!plan().scarce) wrong("PoolExhausted, and there are streams for all");
  } catch (const Error& error) {
    wrong(fmt::format("synchronize(): {}: {}", name_of(error.kind()), error.what()));
  }
}

void Actor::begin_life() {
  for (now_ = 0; now_ < sides_.size(); ++now_) {
    std::vector<HeldLease> leases = std::exchange(side().leases, {});
    for (HeldLease& held : leases) {
      try {
        held.lease->attach();
        side().leases.push_back(std::move(held));
      } catch (const Error& error) {  // InvalidArgument: after the end, leases are not detached
        if (!world_.is_closing(now_)) wrong(fmt::format("attach() in a new thread: {}", error.what()));
      }
    }
  }
  now_ = 0;
}

void Actor::all_unsure() {
  for (Side& side : sides_) {
    for (HeldLease& held : side.leases) held.stream->unsure();
    side.own->unsure();
  }
}

void Actor::end_life() {
  for (Side& side : sides_) {
    for (HeldLease& held : side.leases) held.stream->committed();
    side.own->committed();
    side.own = std::make_unique<StreamModel>();  // the next thread gets its own stream
  }
}

void Actor::leave() {
  Dice dice(plan().seed, static_cast<std::uint64_t>(index_), 2'000'000);
  for (now_ = 0; now_ < sides_.size(); ++now_) {
    for (Item& item : side().slots) {
      if (item.tensor.defined() && dice.one_in(3)) world_.post({std::move(item), {}, {}, 0});
    }
    for (Parcel& parcel : side().kept) {
      try {
        check_parcel(parcel, false);
      } catch (const Error& error) {
        judge(error);
      }
    }
    for (HeldLease& held : side().leases) {
      held.stream->unsure();
      if (dice.one_in(2)) world_.leave(std::move(held));  // still attached: the thread's exit detaches it
    }
    side().own->unsure();
  }
  now_ = 0;
  sides_.clear();
}

void Actor::touch(const Item& item) {
  touched_.push_back(item.list);
  if (item.list->stream != stream().id() && !item.list->committed()) uncommitted_ = true;
  stream().use(item.list);
}

Item Actor::record(Value&& value, bool sim_computes, std::initializer_list<const Item*> operands,
                   const std::function<Tensor()>& call) {
  for (const Item* operand : operands) touch(*operand);
  Tensor tensor = call();
  if (tensor.shape() != value.shape || tensor.dtype() != value.dtype) {
    wrong(fmt::format("a result is {} {}, expected {} {}", name_of(tensor.dtype()), tensor.shape().text(),
                      name_of(value.dtype), value.shape.text()));
  }
  if (!plan().computes() && !sim_computes) value.known = false;
  const bool is_view = operands.size() != 0 && (*operands.begin())->tensor.data() == tensor.data();
  if (value.shape.elements() != 0 && !is_view) stream().recorded();
  return {std::move(tensor), std::make_shared<const Value>(std::move(value)), stream().list(), now_};
}

Item Actor::fresh(Dice& dice, const Shape& shape, Dtype dtype) {
  Item item;
  if (dtype == Dtype::kFloat32 && dice.one_in(4)) {
    const auto number = static_cast<float>(dice.between(-3, 3));
    item = record(constant(shape, number), true, {},
                  [&] { return number == 0 ? zeros(runtime(), shape) : full(runtime(), shape, number); });
  } else {
    Value value = small_integers(dice, shape, dtype);
    value.dtype = Dtype::kFloat32;
    const std::vector<float> elements = value.elements;
    const bool moved = dice.one_in(2);
    item = record(std::move(value), true, {}, [&] {
      return moved ? Tensor::from_host_async(runtime(), std::vector<float>(elements), shape)
                   : Tensor::from_host(runtime(), elements, shape);
    });
  }
  if (dtype == Dtype::kFloat32) return item;
  Value narrow = *item.value;
  narrow.dtype = dtype;
  return record(std::move(narrow), false, {&item}, [&] { return cast(item.tensor, dtype); });
}

Item& Actor::slot(Dice& dice) {
  Item& item = side().slots[dice.below(kSlots)];
  const Shape wanted = shape(dice);
  const bool narrow = plan().half && dice.one_in(2);
  const Dtype dtype = !narrow ? Dtype::kFloat32 : dice.one_in(2) ? Dtype::kFloat16 : Dtype::kBFloat16;
  if (!item.tensor.defined()) item = fresh(dice, wanted, dtype);
  return item;
}

void Actor::act(Dice& dice) {
  struct Action {
    std::uint64_t weight;
    const char* name;
    void (Actor::*run)(Dice&);
  };
  constexpr Action kActions[] = {
      {30, "compute", &Actor::compute},
      {5, "view", &Actor::make_view},
      {6, "read", &Actor::read},
      {7, "copy to the host", &Actor::copy_to_host},
      {3, "look at what is kept", &Actor::look_at_kept},
      {6, "hand out", &Actor::hand_out},
      {8, "take in", &Actor::take_in},
      {4, "event", &Actor::use_events},
      {8, "handler", &Actor::register_handler},
      {7, "custom operation", &Actor::custom_operation},
      {3, "failing operation", &Actor::fail_and_collect},
      {4, "lease", &Actor::move_leases},
      {3, "end a list", &Actor::end_lists},
      {1, "misuse", &Actor::misuse},
      {1, "look around", &Actor::look_around},
      {3, "special tensor", &Actor::special_tensors},
      {1, "draw twice", &Actor::draw_twice},
  };
  std::uint64_t at = dice.below(100);
  const Action* action = kActions;
  while (at >= action->weight) at -= action++->weight;
  if (plan().cut.tells) {
    fmt::print(stderr, "thread {}, step {}, runtime {}, stream {}: {}\n", index_, step_, now_, stream().id(),
               action->name);
  }
  (this->*action->run)(dice);
}

}  // namespace heddle::programs
