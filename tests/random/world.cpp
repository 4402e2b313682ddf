#include "random/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "heddle/tensor/core.hpp"

namespace heddle::programs {
namespace {

constexpr int kMostWrongs = 12;
constexpr const char* kFailureName = "failure-";

}  // namespace

World::World(const Plan& plan)
    : plan_(plan),
      closing_(plan.runtimes.size()),
      ended_(plan.runtimes.size()),
      threw_(plan.runtimes.size()),
      told_threw_(plan.runtimes.size()),
      reports_(plan.runtimes.size()),
      loops_(static_cast<std::size_t>(plan.threads) + 1) {
  for (std::size_t index = 0; index < plan.runtimes.size(); ++index) {
    Options options = plan.runtimes[index];
    options.on_handler_failure = [this, index](const HandlerFailure&) { ++told_threw_[index]; };
    runtimes_.push_back(std::make_unique<Runtime>(options));
  }
}

void World::wrong(const std::string& what) {
  std::lock_guard lock(mutex_);
  if (++wrong_count_ <= kMostWrongs) wrongs_ += "  " + what + "\n";
}

std::string World::wrongs() const {
  std::lock_guard lock(mutex_);
  return wrongs_;
}

void World::post(Parcel&& parcel) {
  Parcel dropped;  // destroyed after the lock
  std::lock_guard lock(mutex_);
  parcels_.push_back(std::move(parcel));
  if (parcels_.size() <= 12) return;
  dropped = std::move(parcels_.front());
  parcels_.pop_front();
}

bool World::fetch(std::uint64_t which, bool take, Parcel* out) {
  std::lock_guard lock(mutex_);
  if (parcels_.empty()) return false;
  const auto at = parcels_.begin() + static_cast<std::ptrdiff_t>(which % parcels_.size());
  *out = *at;
  if (take) parcels_.erase(at);
  return true;
}

void World::leave(HeldLease&& lease) {
  std::lock_guard lock(mutex_);
  adrift_.push_back(std::move(lease));
}

std::optional<HeldLease> World::find_lease() {
  std::lock_guard lock(mutex_);
  if (adrift_.empty()) return std::nullopt;
  HeldLease lease = std::move(adrift_.back());
  adrift_.pop_back();
  return lease;
}

std::uint64_t World::new_failure(std::string* name) {
  std::lock_guard lock(mutex_);
  if (failures_ == 64) return 0;
  *name = fmt::format("{}{}", kFailureName, failures_);
  return std::uint64_t{1} << failures_++;
}

std::uint64_t World::failure_in(const std::string& text) {
  const std::size_t at = text.find(kFailureName);
  if (at == std::string::npos) return 0;
  return std::uint64_t{1} << std::stoi(text.substr(at + std::strlen(kFailureName)));
}

std::size_t World::add_handler(HandlerRecord&& record) {
  std::lock_guard lock(mutex_);
  handlers_.push_back(std::move(record));
  return handlers_.size() - 1;
}

void World::note_turn(std::size_t id) {
  bool out_of_order = false;
  {
    std::lock_guard lock(mutex_);
    const HandlerRecord& handler = handlers_[id];
    if (handler.told == nullptr) return;
    out_of_order = handler.told->last >= handler.order;
    handler.told->last = handler.order;
  }
  if (out_of_order) wrong(fmt::format("handler {} came out of the order of its stream", id));
}

void World::note_run(std::size_t id, const Status& status) {
  std::string what;
  {
    std::lock_guard lock(mutex_);
    HandlerRecord& handler = handlers_[id];
    handler.kind = status.kind();
    if (++handler.times > 1) what = fmt::format("handler {} ran {} times", id, handler.times);
    if (status.kind() == ErrorKind::kDeviceError) {
      const std::uint64_t whose = failure_in(std::string(status.text()));
      if (whose == 0 || (whose & handler.errors) == 0) {
        what = fmt::format("handler {} got an error that is not its stream's: {}", id, status.text());
      }
    } else if (!status.ok() && status.kind() != ErrorKind::kAbandoned) {
      what = fmt::format("handler {} got {}: {}", id, name_of(status.kind()), status.text());
    }
  }
  if (!what.empty()) wrong(what);
}

void World::check_handlers(const std::vector<ShutdownReport>& reports) {
  for (std::size_t runtime = 0; runtime < runtimes_.size(); ++runtime) {
    std::uint64_t registered = 0;
    std::uint64_t abandoned = 0;
    std::vector<std::string> found;
    {
      std::lock_guard lock(mutex_);
      for (std::size_t id = 0; id < handlers_.size(); ++id) {
        const HandlerRecord& handler = handlers_[id];
        if (handler.runtime != runtime) continue;
        if (!handler.registered) {
          if (handler.times != 0) found.push_back(fmt::format("handler {} was refused, and ran", id));
          continue;
        }
        ++registered;
        if (handler.times != 1) found.push_back(fmt::format("handler {} ran {} times", id, handler.times));
        if (handler.kind != ErrorKind::kAbandoned) continue;
        ++abandoned;
        const bool dropped = handler.delivery == Delivery::kDropped || handler.delivery == Delivery::kThrown;
        if (!dropped && reports[runtime].complete) {
          found.push_back(fmt::format("handler {} was abandoned in a shutdown that is complete", id));
        }
      }
    }
    const HandlerStatistics now = runtimes_[runtime]->handler_statistics();
    if (now.registered != registered || now.abandoned != abandoned || now.run != registered - abandoned ||
        now.pending != 0) {
      found.push_back(fmt::format("handlers: {} registered, {} run, {} abandoned, {} pending; expected {}, {}, {}, 0",
                                  now.registered, now.run, now.abandoned, now.pending, registered,
                                  registered - abandoned, abandoned));
    }
    const std::uint64_t threw = threw_[runtime].load();
    if (now.failed != threw || told_threw_[runtime].load() != threw) {
      found.push_back(fmt::format("{} handlers threw, {} were counted, {} were reported", threw, now.failed,
                                  told_threw_[runtime].load()));
    }
    for (const std::string& what : found) wrong(what);
  }
}

void* World::external(std::size_t runtime, const Value& value, std::function<void()>* deleter) {
  const std::size_t bytes = std::max<std::size_t>(value.elements.size(), 1) * sizeof(float);
  std::shared_ptr<std::byte> memory = runtimes_[runtime]->core().device().allocate_host(bytes);
  if (!value.elements.empty()) std::memcpy(memory.get(), value.elements.data(), value.elements.size() * sizeof(float));
  void* const data = memory.get();
  std::lock_guard lock(mutex_);
  externals_.push_back({std::move(memory), runtime});
  *deleter = [this, id = externals_.size() - 1, bytes] {
    std::lock_guard guard(mutex_);
    ++externals_[id].deleted;
    std::memset(externals_[id].memory.get(), 0x5A, bytes);
  };
  return data;
}

void World::check_externals(std::size_t runtime) {
  std::vector<int> deleted;
  {
    std::lock_guard lock(mutex_);
    for (const External& external : externals_) {
      if (external.runtime == runtime && external.deleted != 1) deleted.push_back(external.deleted);
    }
  }
  for (const int times : deleted) wrong(fmt::format("a deleter of external memory was called {} times", times));
}

ShutdownReport World::shut_down(std::size_t runtime, std::chrono::milliseconds deadline) {
  closing(runtime);
  // The shutdown waits for handlers in executors; the threads of the loops may themselves be waiting.
  std::atomic<bool> done{false};
  std::thread loops;
  if (!plan_.hurried) {
    loops = std::thread([&] {
      while (!done.load()) {
        if (!run_one_task()) std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    });
  }
  const ShutdownReport report = runtimes_[runtime]->shutdown(deadline);
  ended(runtime);
  done.store(true);
  if (loops.joinable()) loops.join();
  std::optional<std::string> other;
  {
    std::lock_guard lock(mutex_);
    if (reports_[runtime]) other = reports_[runtime]->text();
    reports_[runtime] = report;
  }
  if (other && *other != report.text()) wrong("two shutdowns of one runtime gave two reports");
  return report;
}

void World::drop_everything() {
  std::deque<Parcel> parcels;
  std::vector<HeldLease> adrift;
  {
    std::lock_guard lock(mutex_);
    parcels.swap(parcels_);
    adrift.swap(adrift_);
  }
}

bool World::run_one_task() {
  bool any = false;
  for (TaskLoop& loop : loops_) any = loop.run_one() || any;
  return any;
}

void World::run_leftover_tasks() {
  do threads_.stop();
  while (run_one_task());
}

}  // namespace heddle::programs
