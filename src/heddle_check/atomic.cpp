#include "heddle_check/atomic.hpp"

#include <fmt/format.h>

#include <utility>

#include "heddle_check/core/entered.hpp"

namespace heddle_check {
namespace {

using sanitizer::acquires, sanitizer::releases;

void learn(Execution& execution, const Knowledge& released, std::memory_order order) noexcept {
  if (acquires(order)) {
    execution.acquire(released);
  } else {
    execution.self().to_acquire.join(released, execution.threads(), execution.weak_memory());
  }
}

// The knowledge that a store by the calling thread with this order publishes.
const Knowledge& handed_on(Execution& execution, std::memory_order order) noexcept {
  return releases(order) ? execution.self().knowledge : execution.self().to_release;
}

// An update continues the release sequence of the store that it read.
void add_store(Execution& execution, ObjectId id, std::uint64_t before, std::uint64_t after, std::memory_order order,
               bool update) noexcept {
  if (!execution.weak_memory()) {
    Knowledge& released = execution.objects()[id].knowledge;
    if (update) {
      released.join(handed_on(execution, order), execution.threads(), false);
    } else {
      released.hb = handed_on(execution, order).hb;
    }
    if (releases(order)) execution.tick();
    return;
  }
  History& history = execution.history_of(id, before);
  execution.tick();  // so that the clock identifies this store
  const Store previous = history.newest();
  Store& store = history.add(execution.running(), order == std::memory_order_seq_cst);
  store.bits = after;
  store.time = execution.self().knowledge.hb[execution.running()];
  store.released = handed_on(execution, order);
  if (update) store.released.join(previous.released, execution.threads(), true);
  execution.tick();
}

void note_value(Execution& execution, const char* what, std::uint64_t bits) {
  if (execution.recording()) execution.note(fmt::format("{}{}", what, bits));
}

void fence_here(Execution& execution, std::memory_order order) noexcept {
  ThreadState& self = execution.self();
  const bool weak = execution.weak_memory();
  if (acquires(order)) self.knowledge.join(self.to_acquire, execution.threads(), weak);
  if (order == std::memory_order_seq_cst && weak) {
    VectorClock& all = execution.sequential_fences().view;
    self.knowledge.view.join(all, execution.threads());
    all.join(self.knowledge.view, execution.threads());
  }
  if (releases(order)) {
    self.to_release = self.knowledge;
    execution.tick();
  }
}

}  // namespace

namespace detail {

void begin_access(ObjectRef& ref, OperationKind kind, Site site) noexcept {
  const Entered execution;
  if (execution == nullptr) return;
  execution->use(ref, ObjectType::kAtomic, nullptr, site);
  if (only_reads(kind)) {
    execution->point(kind, ref.id, site);
  } else {
    execution->drained_point(kind, ref.id, site);
  }
}

bool buffer_store(ObjectRef& ref, void* target, std::uint32_t bytes, std::uint64_t bits, std::memory_order order,
                  Site site) noexcept {
  const Entered execution;
  if (execution == nullptr || execution->buffers().capacity() == 0 || order == std::memory_order_seq_cst) return false;
  execution->use(ref, ObjectType::kAtomic, nullptr, site);
  execution->buffer_point(site);
  sanitizer::stored(ref.id, order);
  PendingStore store;
  store.object = ref.id;
  store.target = target;
  store.bytes = bytes;
  store.bits = bits;
  store.site = site;
  if (execution->tracks_knowledge()) {
    execution->tick();  // so that the clock identifies this store
    store.time = execution->self().knowledge.hb[execution->running()];
    store.released = handed_on(*execution, order);
    execution->tick();
  }
  execution->buffer_store(std::move(store));
  return true;
}

std::uint64_t finish_load(ObjectRef& ref, std::uint64_t newest, std::memory_order order) noexcept {
  const Entered execution;
  if (execution == nullptr) return newest;
  if (const PendingStore* own = execution->buffers().newest(execution->running(), ref.id); own != nullptr) {
    note_value(*execution, "= own ", own->bits);
    return own->bits;
  }
  std::uint64_t bits = newest;
  if (execution->weak_memory()) {
    History& history = execution->history_of(ref.id, newest);
    const ThreadId self = execution->running();
    std::uint32_t back = 0;
    if (execution->left().stale_reads != 0) {
      const bool sequential = order == std::memory_order_seq_cst;
      back = execution->choose(ChoiceKind::kRead, history.readable(self, execution->self().knowledge.view, sequential));
      if (back != 0) --execution->left().stale_reads;
    }
    const Store& store = history.read(self, back);
    bits = store.bits;
    learn(*execution, store.released, order);
  } else if (execution->tracks_knowledge()) {
    learn(*execution, execution->objects()[ref.id].knowledge, order);
  }
  sanitizer::loaded(ref.id, order);
  note_value(*execution, "= ", bits);
  return bits;
}

void finish_store(ObjectRef& ref, std::uint64_t before, std::uint64_t after, std::memory_order order) noexcept {
  const Entered execution;
  if (execution == nullptr) return;
  if (execution->tracks_knowledge()) add_store(*execution, ref.id, before, after, order, false);
  sanitizer::stored(ref.id, order);
  note_value(*execution, ":= ", after);
}

void finish_update(ObjectRef& ref, std::uint64_t before, std::uint64_t after, std::memory_order order) noexcept {
  const Entered execution;
  if (execution == nullptr) return;
  if (execution->tracks_knowledge()) {
    const Knowledge& released = execution->weak_memory() ? execution->history_of(ref.id, before).newest().released
                                                         : execution->objects()[ref.id].knowledge;
    learn(*execution, released, order);
    add_store(*execution, ref.id, before, after, order, true);
  }
  sanitizer::updated(ref.id, order);
  note_value(*execution, "", before);
  note_value(*execution, "-> ", after);
}

void finish_failed_update(ObjectRef& ref, std::uint64_t newest, std::memory_order order) noexcept {
  const Entered execution;
  if (execution == nullptr) return;
  if (execution->weak_memory()) {
    learn(*execution, execution->history_of(ref.id, newest).read(execution->running(), 0).released, order);
  } else if (execution->tracks_knowledge()) {
    learn(*execution, execution->objects()[ref.id].knowledge, order);
  }
  sanitizer::loaded(ref.id, order);
  note_value(*execution, "not exchanged, is ", newest);
}

bool weak_failure() noexcept {
  const Entered execution;
  if (execution == nullptr || execution->left().weak_failures == 0) return false;
  if (execution->choose(ChoiceKind::kWeakFail, 2) == 0) return false;
  --execution->left().weak_failures;
  return true;
}

void destroy_atomic(ObjectRef& ref) noexcept {
  if (const Entered execution; execution) execution->destroy(ref, Site::current());
}

void name_atomic(ObjectRef& ref, const char* name) noexcept {
  const Entered execution;
  if (execution == nullptr) return;
  execution->use(ref, ObjectType::kAtomic, name, Site::current()).name = name;
}

}  // namespace detail

void thread_fence(std::memory_order order, Site site) noexcept {
  const Entered execution;
  if (execution == nullptr || order == std::memory_order_relaxed) return;
  if (order == std::memory_order_seq_cst) {
    execution->drained_point(OperationKind::kFence, execution->fenced(), site);
  } else {
    execution->point(OperationKind::kFence, execution->fenced(), site);
  }
  if (execution->tracks_knowledge()) fence_here(*execution, order);
  sanitizer::updated(kAllObjects, std::memory_order_acq_rel);
}

void fence_all_threads(Site site) noexcept {
  const Entered execution;
  if (execution == nullptr) return;
  execution->drained_point(OperationKind::kFence, execution->fenced(), site);
  if (execution->tracks_knowledge()) fence_here(*execution, std::memory_order_seq_cst);
  sanitizer::updated(kAllObjects, std::memory_order_acq_rel);
  // In pairs: two of the other threads are not ordered by it.
  const auto with_others = [&](auto&& action) {
    for (ThreadId i = 0; i < execution->threads(); ++i) {
      if (i != execution->running()) action(execution->thread(i).knowledge.view);
    }
  };
  VectorClock& own = execution->self().knowledge.view;
  if (execution->weak_memory()) with_others([&](VectorClock& other) { other.join(own, execution->threads()); });
  execution->drain_others(site);
  if (execution->weak_memory()) with_others([&](VectorClock& other) { own.join(other, execution->threads()); });
}

}  // namespace heddle_check
