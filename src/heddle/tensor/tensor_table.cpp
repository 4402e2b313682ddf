#include "heddle/detail/tensor_table.hpp"

#include <map>
#include <utility>

#include "heddle/sync/mutex.hpp"
#include "heddle/sync/process.hpp"

namespace HEDDLE_NS {

struct TensorTable::State {
  sync::Mutex mutex{Rank::kLeaf};
  std::map<void*, Tensor> live HEDDLE_GUARDED_BY(mutex);
};

TensorTable::TensorTable() : state_(std::make_unique<State>()) {}

TensorTable::~TensorTable() = default;

void* TensorTable::add(Tensor tensor) {
  void* const memory = tensor.data();
  sync::MutexLock lock(state_->mutex);
  state_->live.insert_or_assign(memory, std::move(tensor));
  return memory;
}

Tensor TensorTable::remove(void* memory) noexcept {
  if (sync::in_forked_child()) return {};  // where another thread may have held the mutex
  sync::MutexLock lock(state_->mutex);
  const auto found = state_->live.find(memory);
  if (found == state_->live.end()) return {};
  Tensor tensor = std::move(found->second);
  state_->live.erase(found);
  return tensor;
}

}  // namespace HEDDLE_NS
