// Custom operations, handlers, user memory, misuse, and the end.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "random/actor.hpp"

namespace heddle::programs {

using std::chrono::microseconds;
using std::chrono::milliseconds;

void Actor::register_handler(Dice& dice) {
  refusable_ = plan().full_lines;
  auto payload = std::make_shared<Parcel>();
  if (dice.one_in(2)) {
    const Item& item = slot(dice);
    payload->item = item;
    if (dice.one_in(2)) {
      touch(item);
      stream().unsure();
      payload->copy = item.tensor.to_host_async();
      payload->errors = errors_here();
      stream().committed();
    }
  }
  stream().unsure();
  const bool on_lease = !side().leases.empty();
  Lease* const lease = on_lease && dice.one_in(2) ? &*side().leases.back().lease : nullptr;
  // If streams are scarce, a thread without a lease may get another stream at any time.
  const bool sure = on_lease || !plan().scarce;
  add_handler({world_, now_, lease, sure ? stream().told() : nullptr, stream().next_handler(), errors_here(),
               &world_.loop(static_cast<std::size_t>(index_)), 0},
              dice, std::move(payload));
  stream().committed();
}

void Actor::custom_operation(Dice& dice) {
  auto check = std::make_shared<CustomCheck>();
  check->wrong = [this_world = &world_, where = fmt::format("thread {}, step {}: ", index_, step_)](
                     const std::string& what) { this_world->wrong(where + what); };
  std::vector<const Item*> items;
  for (std::uint64_t inputs = dice.below(4); inputs > 0; --inputs) items.push_back(&slot(dice));
  std::vector<Tensor> inputs;
  for (const Item* item : items) {
    touch(*item);
    inputs.push_back(item->tensor);
    check->inputs.push_back(item->value);
  }
  std::vector<Shape> outputs;
  for (std::uint64_t count = dice.below(3); count > 0; --count) {
    outputs.push_back(shape(dice));
    check->outputs.push_back(std::make_shared<const Value>(small_integers(dice, outputs.back())));
  }
  if (dice.one_in(3)) check->takes = microseconds(dice.below(dice.one_in(8) ? 2000 : 200));
  if (dice.one_in(4)) check->ballast = std::make_shared<Item>(*items.emplace_back(&slot(dice)));
  if (dice.one_in(12)) {
    check->misuse = [this_world = &world_, runtime = now_, wrong = check->wrong] {
      try {
        full(this_world->runtime(runtime), {2}, 1.0F);
        wrong("a custom operation recorded");
      } catch (const InvalidArgument&) {
      } catch (const Closed&) {
      }
    };
  }
  const Item* const replaced = items.empty() ? nullptr : items.front();
  const std::vector<Known> values = check->outputs;
  const std::vector<Tensor> results =
      custom(runtime(), "check", inputs, outputs, custom_function(runtime(), std::move(check), inputs));
  stream().recorded();
  for (std::size_t i = 0; i < results.size(); ++i) {
    Item& to = side().slots[i == 0 && replaced != nullptr ? static_cast<std::size_t>(replaced - side().slots.data())
                                                          : dice.below(side().slots.size())];
    to = {results[i], values[i], stream().list(), now_};
  }
}

// A custom operation that throws: its stream carries that error, and no other, until it is collected. Results that the
// stream made meanwhile cannot be read.
void Actor::fail_and_collect(Dice& dice) {
  if (!plan().fails) return compute(dice);
  std::string name;
  const std::uint64_t bit = world_.new_failure(&name);
  if (bit == 0) return compute(dice);
  const bool checks = dice.one_in(2);
  if (checks) {
    try {
      stream().unsure();
      runtime().synchronize();
      stream().collected();
    } catch (const DeviceError&) {
      errors_ |= stream().errors();
      stream().collected();
      throw;
    }
  }
  stream().may_fail(bit);
  auto check = std::make_shared<CustomCheck>();
  check->throws_with = name;
  check->outputs.push_back(std::make_shared<const Value>(constant({3}, 1.0F)));
  const std::vector<Tensor> made =
      custom(runtime(), name, {}, {Shape{3}}, custom_function(runtime(), std::move(check), {}));
  stream().recorded();
  const Item item{made[0], std::make_shared<const Value>(constant({3}, 1.0F)), stream().list(), now_};
  if (!checks) {
    side().slots[dice.below(side().slots.size())] = item;
    return;
  }
  const Item next = record(constant({3}, 2.0F), false, {&item}, [&] { return add(item.tensor, item.tensor); });
  try {
    runtime().synchronize();
    wrong("synchronize() did not throw the error of a custom operation");
  } catch (const DeviceError& error) {
    if (World::failure_in(error.what()) != bit) wrong(fmt::format("another error than '{}': {}", name, error.what()));
  }
  stream().collected();
  try {
    next.tensor.to_host();
    wrong("the result of a list that failed could be read");
  } catch (const DeviceError& error) {
    if (World::failure_in(error.what()) != bit) wrong(fmt::format("another error than '{}': {}", name, error.what()));
  }
  side().slots[dice.below(side().slots.size())] = next;
}

// Wrong calls: each is refused with its own kind of error, and changes nothing.
void Actor::misuse(Dice& dice) {
  const Item& item = slot(dice);
  const auto refused = [&](const char* what, const auto& call) {
    try {
      call();
      wrong(fmt::format("{} was not refused", what));
    } catch (const InvalidArgument&) {
    } catch (const NotCommitted&) {
      if (!uncommitted_) wrong(fmt::format("{}: NotCommitted", what));
    }
  };
  switch (dice.below(5)) {
    case 0: refused("an undefined operand", [&] { add(item.tensor, Tensor()); }); break;
    case 1: {
      const Shape shape{7, 1, 6};
      const Tensor other = full(runtime(), shape, 1.0F);
      refused("a product of shapes that do not fit", [&] { matmul(other, transpose(other, 0, 1)); });
      break;
    }
    case 2:
      if (sides_.size() < 2) break;
      {
        Tensor other;
        try {
          other = full(world_.runtime(1 - now_), {1}, 1.0F);
        } catch (const Closed&) {  // another thread may shut down the other runtime, but not this one
          if (!world_.is_closing(1 - now_)) wrong("no thread shut the other runtime down, and yet it is closed");
          break;
        }
        const Tensor here = full(runtime(), {1}, 1.0F);
        refused("operands of two runtimes", [&] { add(here, other); });
      }
      break;
    case 3: refused("an empty handler", [&] { runtime().on_complete(CompletionHandler()); }); break;
    default:
      refused("another number of values", [&] {
        const std::vector<float> values(3);
        Tensor::from_host(runtime(), values, {4});
      });
  }
}

void Actor::look_around(Dice& dice) {
  const MemoryStatistics memory = runtime().memory_statistics();
  if (memory.reserved > memory.limit) wrong("more memory is reserved than the limit allows");
  const HandlerStatistics handlers = runtime().handler_statistics();
  if (handlers.registered != handlers.run + handlers.abandoned + handlers.pending) {
    wrong("registered handlers differ from the sum of run, abandoned and pending ones");
  }
  if (dice.one_in(2)) runtime().release_cached();
  if (runtime().streams() == 0 && !world_.is_closing(now_)) static_cast<void>(runtime().stream().id());
}

// Shared constants, and user memory.
void Actor::special_tensors(Dice& dice) {
  if (dice.one_in(2)) {
    Item item = fresh(dice, shape(dice));
    try {
      stream().unsure();
      item.tensor.make_shared_constant();
    } catch (const DeviceError&) {
      errors_ |= stream().errors();
      stream().collected();
      throw;
    }
    stream().collected();
    side().slots[dice.below(side().slots.size())] = std::move(item);
    return;
  }
  auto value = std::make_shared<const Value>(small_integers(dice, shape(dice)));
  Event ready;
  const std::uint64_t carried = errors_here();
  if (dice.one_in(2)) {
    stream().unsure();
    ready = runtime().record_event();
    stream().committed();
  }
  std::function<void()> deleter;
  void* const data = world_.external(now_, *value, &deleter);
  bool made = false;
  try {
    Tensor tensor = Tensor::from_external(runtime(), data, value->shape, ready, deleter);
    made = true;
    auto list = std::make_shared<ListModel>(0, carried);
    list->state.store(ListModel::kCommitted);
    side().slots[dice.below(side().slots.size())] = {std::move(tensor), std::move(value), std::move(list), now_};
  } catch (const Error&) {
    if (!made) deleter();  // the call has not taken the memory
    throw;
  }
}

// Two generators with one seed draw the same numbers, however the draws are split into operations of one size.
void Actor::draw_twice(Dice& dice) {
  const std::uint64_t seed = dice.draw();
  const Shape shape{dice.between(1, 60)};
  const bool normal = dice.one_in(2);
  Generator first(runtime(), seed);
  Generator second(runtime(), seed);
  const auto draw = [&](Generator& generator) { return normal ? randn(generator, shape) : uniform(generator, shape); };
  const Tensor a = draw(first);
  const Tensor b = draw(first);
  const Tensor x = draw(second);
  const Tensor y = draw(second);
  errors_ |= stream().errors();
  stream().unsure();
  const std::vector<float> from_first = stack(std::vector<Tensor>{a, b}).to_host();
  const std::vector<float> from_second = stack(std::vector<Tensor>{x, y}).to_host();
  stream().collected();
  if (!plan().computes()) return;
  if (from_first != from_second) wrong("two generators of one seed drew different numbers");
  for (const float number : from_first) {
    if (!normal && !(number >= 0 && number < 1)) wrong("a uniform number outside [0, 1)");
  }
}

void Actor::shut_down(Dice& dice) {
  const milliseconds deadline = plan().hurried ? milliseconds(dice.below(3)) : milliseconds(20'000);
  for (now_ = 0; now_ < sides_.size(); ++now_) {
    if (now_ == 1 && dice.one_in(2)) continue;
    world_.shut_down(now_, deadline);
  }
  now_ = 0;
}

// A runtime after its shutdown: it records nothing more, and complete results can still be read.
void Actor::after_the_end(Dice& dice) {
  const std::uint64_t what = dice.below(6);
  if (what == 0 && !side().kept.empty()) {
    errors_ |= side().kept.back().errors;
    if (side().kept.back().copy) side().kept.back().copy->ready();
    side().kept.pop_back();
    return;
  }
  if (what == 1) return static_cast<void>(side().slots[dice.below(side().slots.size())] = {});
  try {
    switch (what) {
      case 2: full(runtime(), {2}, 1.0F); break;
      case 3: runtime().commit(); break;
      case 4: runtime().record_event(); break;
      default: runtime().on_complete([](const Status&) {});
    }
    wrong("a runtime that was shut down took work");
  } catch (const Closed&) {
  }
}

}  // namespace heddle::programs
