// An actor's reads, and its dealings with other threads: tensors, copies, events and leases change hands.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "heddle/device/half.hpp"
#include "random/actor.hpp"

namespace heddle::programs {
namespace {

// A simulated device packs no strided tensors.
bool readable(const Plan& plan, const Item& item) { return plan.computes() || item.tensor.is_contiguous(); }

std::string difference_of(const Plan& plan, const Item& item, std::span<const float> found) {
  if (readable(plan, item)) return difference(*item.value, found);
  return found.size() == item.value->elements.size() ? std::string() : std::string("another number of elements");
}

// The elements in place, for devices with the host's memory. REQUIRES: they are complete.
std::vector<float> peek(const Tensor& tensor) {
  std::vector<float> found;
  const Shape& shape = tensor.shape();
  std::array<std::int64_t, kMaxRank> index{};
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    std::int64_t at = 0;
    for (std::size_t dim = 0; dim < shape.rank(); ++dim) at += index[dim] * tensor.strides()[dim];
    switch (tensor.dtype()) {
      case Dtype::kFloat32: found.push_back(static_cast<const float*>(tensor.data())[at]); break;
      case Dtype::kFloat16: found.push_back(to_float(static_cast<const Float16*>(tensor.data())[at])); break;
      case Dtype::kBFloat16: found.push_back(to_float(static_cast<const BFloat16*>(tensor.data())[at])); break;
    }
    for (std::size_t dim = shape.rank(); dim-- > 0;) {
      if (++index[dim] < shape[dim]) break;
      index[dim] = 0;
    }
  }
  return found;
}

}  // namespace

void Actor::read(Dice& dice) {
  const Item& item = slot(dice);
  touch(item);
  std::string what;
  if (item.tensor.elements() == 1 && dice.one_in(2)) {
    const float found = item.tensor.item();
    stream().unsure();
    what = difference_of(plan(), item, {&found, 1});
  } else {
    const std::vector<float> found = item.tensor.to_host();
    if (!found.empty()) stream().collected();
    what = difference_of(plan(), item, found);
  }
  if (!what.empty()) wrong("read back: " + what);
}

void Actor::copy_to_host(Dice& dice) {
  Item& item = slot(dice);
  touch(item);
  const std::uint64_t what = dice.below(8);
  stream().unsure();
  HostCopy copy = item.tensor.to_host_async();
  const std::uint64_t carried = errors_here();
  stream().committed();
  Parcel parcel{item, {}, std::move(copy), carried};
  if (dice.one_in(3)) item = {};  // the tensor is dropped before the copy has run
  switch (what) {
    case 0:
    case 1:
    case 2: break;  // the copy is dropped, most likely before it runs
    case 3: runtime().commit(); break;
    case 4: {
      check_parcel(parcel, true);
      break;
    }
    case 5: world_.post(std::move(parcel)); break;
    default: side().kept.push_back(std::move(parcel));
  }
  if (side().kept.size() > 6) side().kept.erase(side().kept.begin());
}

// A copy or an event that may be complete.
void Actor::check_parcel(Parcel& parcel, bool waits) {
  errors_ |= parcel.errors;
  if (parcel.copy && (waits || parcel.copy->ready())) {
    const std::string what = difference_of(plan(), parcel.item, parcel.copy->values());
    if (!what.empty()) wrong("host copy: " + what);
  }
  if (parcel.event && (waits || parcel.event->query())) {
    parcel.event->wait();
    if (!parcel.event->query()) wrong("an event is not complete after wait()");
    if (!runtime().device_info().host_accessible || !readable(plan(), parcel.item)) return;
    if (parcel.item.list->errors.load() != 0) return;  // its list may have failed, which loses the result
    const std::string what = difference(*parcel.item.value, peek(parcel.item.tensor));
    if (!what.empty()) wrong("in the device's memory, after its event: " + what);
  }
}

void Actor::look_at_kept(Dice& dice) {
  std::vector<Parcel>& kept = side().kept;
  if (kept.empty()) return copy_to_host(dice);
  const auto at = kept.begin() + static_cast<std::ptrdiff_t>(dice.below(kept.size()));
  Parcel parcel = std::move(*at);
  kept.erase(at);
  if (!dice.one_in(4)) check_parcel(parcel, dice.one_in(2));
}

// Committed, named by an event, or neither: in the last case its users are refused.
void Actor::hand_out(Dice& dice) {
  Item& item = slot(dice);
  const bool moves = dice.one_in(3);
  Parcel parcel{item, {}, {}, 0};
  switch (dice.below(4)) {
    case 0: {
      const std::uint64_t carried = errors_here() | item.list->errors.load();
      stream().unsure();
      const bool own = item.list->stream == stream().id();
      Event event = runtime().record_event();
      stream().committed();
      // Says nothing about another stream's item.
      if (own) parcel.event = std::move(event), parcel.errors = carried;
      break;
    }
    case 1: break;
    default:
      stream().unsure();
      runtime().commit();
      stream().committed();
  }
  if (moves) item = {};
  world_.post(std::move(parcel));
}

void Actor::take_in(Dice& dice) {
  const std::uint64_t what = dice.below(6);
  Parcel parcel;
  if (!world_.fetch(dice.draw(), dice.one_in(2), &parcel)) return compute(dice);
  if (what == 0) return;  // freed here, or not
  now_ = parcel.item.runtime;
  if (world_.is_closing(now_)) return;
  const Item& item = parcel.item;
  const bool refused = plan().lists_are_ours(now_) && item.list->state.load() == ListModel::kOpen &&
                       item.list->stream != stream().id() && item.tensor.elements() != 0;
  if (refused) {
    try {
      copy(item.tensor);
      if (!world_.is_closing(now_)) wrong("a tensor that its thread has not committed was not refused");
    } catch (const NotCommitted&) {
      return;
    }
  }
  if (parcel.copy) {
    check_parcel(parcel, what == 1);
  } else if (parcel.event && what <= 2) {
    check_parcel(parcel, what == 1);
  } else if (parcel.event && what == 3) {
    stream().unsure();
    stream().may_fail(parcel.errors);
    errors_ |= parcel.errors;
    runtime().wait(*parcel.event);
  }
  Item& to = side().slots[dice.below(side().slots.size())];
  to = item;
  if (what != 4) return;
  // Used immediately.
  const Item held = to;
  to = record(Value(*held.value), held.tensor.is_contiguous(), {&held}, [&] { return copy(held.tensor); });
}

void Actor::use_events(Dice& dice) {
  Item& item = slot(dice);
  if (item.list->stream != stream().id()) return end_lists(dice);
  const std::uint64_t carried = errors_here() | item.list->errors.load();
  stream().unsure();
  const bool on_lease = !side().leases.empty() && dice.one_in(2);
  Event event = on_lease ? side().leases.back().lease->record_event() : runtime().record_event();
  stream().committed();
  errors_ |= carried;
  switch (dice.below(4)) {
    case 0:
      if (event.wait_for(std::chrono::microseconds(dice.below(300))) && !event.query()) {
        wrong("an event is not complete after wait_for()");
      }
      break;
    case 1: event.wait(); break;
    case 2: {
      const Status status = event.status();
      if (!status.ok() && (World::failure_in(std::string(status.text())) & carried) == 0) {
        wrong(fmt::format("an event has an error that is not its stream's: {}", status.text()));
      }
      break;
    }
    default: {
      const TimingEvent start(runtime());
      stream().unsure();
      const TimingEvent end(runtime());
      errors_ |= errors_here();
      stream().committed();
      if (end.since(start).count() < 0) wrong("time went back between two timing events of a stream");
    }
  }
  side().kept.push_back({item, std::move(event), {}, carried});
  if (side().kept.size() > 6) side().kept.erase(side().kept.begin());
}

void Actor::move_leases(Dice& dice) {
  std::vector<HeldLease>& leases = side().leases;
  const std::uint64_t what = dice.below(6);
  if (leases.empty() || (what < 2 && leases.size() < 3)) {
    if (std::optional<HeldLease> found = dice.one_in(2) ? world_.find_lease() : std::nullopt) {
      now_ = found->runtime;
      stream().unsure();
      try {
        found->lease->attach();
      } catch (const InvalidArgument&) {
        // Its thread has not exited yet (leave()), or will never have detached it once the runtime closes.
        return world_.is_closing(now_) ? void() : world_.leave(std::move(*found));
      }
      stream().committed();
      side().leases.push_back(std::move(*found));
      return;
    }
    stream().unsure();
    Lease lease = runtime().lease();
    stream().committed();
    leases.push_back({now_, std::make_unique<StreamModel>(), std::move(lease)});
    return;
  }
  const auto at = leases.begin() + static_cast<std::ptrdiff_t>(dice.below(leases.size()));
  at->stream->unsure();
  if (what < 4) {  // ends here: its commands are committed when the destructor has returned, not before
    HeldLease ending = std::move(*at);
    leases.erase(at);
    ending.lease.reset();
    ending.stream->committed();
    return;
  }
  at->lease->detach();
  at->stream->committed();
  HeldLease lease = std::move(*at);
  leases.erase(at);
  world_.leave(std::move(lease));
}

void Actor::end_lists(Dice& dice) {
  stream().unsure();
  Lease* const lease = side().leases.empty() || dice.one_in(2) ? nullptr : &*side().leases.back().lease;
  switch (dice.below(4)) {
    case 0:
      if (lease != nullptr ? lease->try_commit() : runtime().try_commit()) stream().committed();
      break;
    case 1:
      lease != nullptr ? lease->commit() : runtime().commit();
      stream().committed();
      break;
    case 2:
      // True: nothing is recorded, committed or running.
      if (lease != nullptr ? lease->query() : runtime().query()) stream().committed();
      break;
    default: try { lease != nullptr ? lease->synchronize() : runtime().synchronize();
      } catch (const DeviceError&) {
        errors_ |= stream().errors();
        stream().collected();
        throw;
      }
      stream().collected();
      if (!(lease != nullptr ? lease->query() : runtime().query())) wrong("query() is false after synchronize()");
  }
}

}  // namespace heddle::programs
