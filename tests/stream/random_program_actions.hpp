// What the threads and the handlers of a random program do; included by random_program.hpp only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "stream/random_program.hpp"

namespace heddle {

inline void RandomProgram::told(std::size_t id, const Status& status) {
  sync::MutexLock lock(mutex_);
  Told& handler = told_[id];
  handler.kind = status.kind();
  const std::string name = "handler " + std::to_string(id);
  if (++handler.times > 1) wrongs_ += name + " was told twice\n";
  if (handler.where != Where::kShelved) {
    std::uint64_t& last = last_told_[handler.stream.value];
    if (last >= handler.order) wrongs_ += name + " out of its stream's order\n";
    last = handler.order;
  }
  const bool executed = status.kind() != ErrorKind::kAbandoned;
  if (executed && !handler.point.query()) wrongs_ += name + " before its ticket\n";
}

// Registers on the calling thread's stream; the event before it names the point that it stands for.
inline void RandomProgram::register_handler(std::mt19937_64& dice, int depth) {
  const auto where = static_cast<Where>(below(dice, 100) < 70 ? 0 : below(dice, seed_ % 50 == 0 ? 5 : 4));
  const std::uint64_t what = dice();
  const std::uint64_t seed = dice();
  if (depth == 0) make_room();
  Recording recording(sim_.pool());  // so that nobody else gets the stream between the event and the registration
  Lane& lane = recording.lane();
  const Event point = heddle::record_event(sim_.pool(), lane);
  std::size_t id = 0;
  {
    sync::MutexLock lock(mutex_);
    id = told_.size();
    told_.push_back({0, ErrorKind::kOk, point, where, lane.id(), ++next_order_[lane.id().value]});
  }
  HandlerOptions options{"handler " + std::to_string(id), nullptr};
  if (where != Where::kHandlerThread) options.executor = std::make_shared<ProgramExecutor>(*this, where);
  try {
    lane.on_complete(
        [this, id, what, seed, depth](const Status& status) {
          told(id, status);
          in_handler(what, seed, depth);
        },
        options, sim_.pool());
  } catch (...) {
    sync::MutexLock lock(mutex_);
    told_[id].times = -1;  // not registered
    throw;
  }
}

inline void RandomProgram::in_handler(std::uint64_t what, std::uint64_t seed, int depth) {
  std::mt19937_64 dice(seed);
  try {
    switch (what % 10) {
      case 0: throw std::runtime_error("from a handler");
      case 1:
        if (depth < 2) register_handler(dice, depth + 1);
        break;
      case 2: {
        const Tensor x = full(sim_, {static_cast<std::int64_t>(1 + dice() % 2000)}, 1.0f);
        sim_.try_commit();
        break;
      }
      case 3: {
        const Tensor x = full(sim_, {4}, 1.0f);
        sim_.synchronize();
        if (!sim_.query()) wrong("synchronize() in a handler returned with work undone");
        break;
      }
      case 4: {
        const Lease lease = sim_.lease();
        full(sim_, {4}, 1.0f);
        break;
      }
      case 5: sim_.shutdown(); break;
      case 6: std::this_thread::sleep_for(std::chrono::microseconds(dice() % 200)); break;
      default: break;
    }
  } catch (const WouldBlock&) {
  } catch (const PoolExhausted&) {
  } catch (const Closed&) {
    if (!closing_.load()) wrong("Closed before anybody shut down");
  } catch (const DeviceError&) {
  } catch (const DeviceLost&) {
  }
}

inline void RandomProgram::look_at_tickets(Actor& actor) {
  for (Lane* lane : sim_.pool()->existing_lanes()) {
    const Ticket completed = lane->completed();
    const Ticket committed = lane->committed();
    const Ticket issued = lane->issued();
    std::uint64_t& seen = actor.seen[lane->id().value];
    if (completed.value < seen) wrong("a ticket went back");
    if (completed > issued || committed > issued) wrong("completed, committed, issued are out of order");
    seen = completed.value;
  }
}

// Runs the device until the calling thread's stream is done, then collects.
inline void RandomProgram::read_back(Actor& actor, const Tensor& tensor, float value) {
  look_at_tickets(actor);
  make_room();
  const Event end = sim_.record_event();
  while (!end.query()) sim_.device().step();
  const DeviceRunner runner(sim_.device());
  const std::vector<float> values = tensor.to_host();
  if (values != std::vector<float>(values.size(), value)) wrong("a value is wrong");
}

inline void RandomProgram::use_others(Actor& actor) {
  Published other;
  {
    sync::MutexLock lock(mutex_);
    if (published_.empty()) return;
    other = published_[below(actor.dice, published_.size())];
  }
  make_room();
  if (below(actor.dice, 2) == 0) sim_.wait(other.event);
  Published next{add(other.tensor, other.tensor), {}, other.value * 2};
  if (below(actor.dice, 3) == 0) return read_back(actor, next.tensor, next.value);
  make_room();
  next.event = sim_.record_event();
  sync::MutexLock lock(mutex_);
  if (next.value < 1e6f) published_.push_back(std::move(next));
}

inline void RandomProgram::move_lease(Actor& actor) {
  std::optional<Lease> lease;
  if (actor.leases.empty() || below(actor.dice, 2) == 0) {
    {
      sync::MutexLock lock(mutex_);
      if (!adrift_.empty()) {
        lease.emplace(std::move(adrift_.back()));
        adrift_.pop_back();
      }
    }
    if (!lease) return actor.leases.push_back(sim_.lease());
    make_room();
    lease->attach();
    actor.leases.push_back(std::move(*lease));
    return;
  }
  lease.emplace(std::move(actor.leases.back()));
  actor.leases.pop_back();
  if (below(actor.dice, 3) == 0) return;  // ends
  while (!lease->try_commit()) sim_.device().step();
  lease->detach();
  sync::MutexLock lock(mutex_);
  adrift_.push_back(std::move(*lease));
}

inline void RandomProgram::break_something(std::mt19937_64& dice) {
  faults_.store(true);
  const Status boom(ErrorKind::kDeviceError, "boom");
  switch (below(dice, 8)) {
    case 0: sim_.device().lose({ErrorKind::kDeviceLost, "lost"}); break;
    case 1:
    case 2: sim_.device().fail_submit(1 + below(dice, 3), boom); break;
    default: {
      const auto lanes = sim_.pool()->existing_lanes();
      if (lanes.empty()) break;
      const Lane& lane = *lanes[below(dice, lanes.size())];
      sim_.device().fail_execution(lane.id(), Ticket{lane.issued().value + 1}, boom);
    }
  }
}

inline void RandomProgram::shut_down(std::mt19937_64& dice) {
  closing_.store(true);
  std::optional<DeviceRunner> runner;
  if (below(dice, 2) == 0) runner.emplace(sim_.device());
  const sync::TimePoint start = sync::now();
  const ShutdownReport report = sim_.shutdown(milliseconds(below(dice, 4)));
  if (sync::now() - start > std::chrono::seconds(20)) wrong("shutdown took more than 20 s");
  sync::MutexLock lock(mutex_);
  if (report_ && report_->text() != report.text()) wrongs_ += "two shutdowns, two reports\n";
  report_ = report;
}

inline void RandomProgram::do_something(Actor& actor) {
  std::mt19937_64& dice = actor.dice;
  const std::uint64_t what = below(dice, 100);
  if (what < 18) {
    make_room();
    Published next{full(sim_, {static_cast<std::int64_t>(1 + below(dice, 300))}, 3.0f), {}, 3.0f};
    if (below(dice, 2) == 0) {
      make_room();
      next.event = sim_.record_event();
      sync::MutexLock lock(mutex_);
      published_.push_back(next);
    }
    actor.mine = std::move(next);
  } else if (what < 40) {
    register_handler(dice, 0);
  } else if (what < 52) {
    use_others(actor);
  } else if (what < 57) {
    if (actor.mine) read_back(actor, actor.mine->tensor, actor.mine->value);
  } else if (what < 67) {
    move_lease(actor);
  } else if (what < 72) {
    for (Lane* lane : sim_.pool()->existing_lanes()) {
      if (below(dice, 2) == 0) sim_.device().set_delay(lane->id(), below(dice, 1000));
    }
  } else if (what < 75) {
    if (seed_ % 3 != 0) break_something(dice);
  } else if (what < 76) {
    if (seed_ % 4 != 0) shut_down(dice);
  } else if (what < 80) {
    actor.mine.reset();
  } else {
    for (std::uint64_t steps = below(dice, 6); steps > 0 && sim_.device().step(); --steps) {
    }
  }
}

}  // namespace heddle
