#include "heddle/tensor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <list>

#include "heddle/error.hpp"
#include "heddle/stream/event_access.hpp"
#include "heddle/sync/no_waiting.hpp"
#include "heddle/sync/process.hpp"
#include "heddle/tensor/tensor_access.hpp"

namespace HEDDLE_NS {

namespace {

void require_count(const char* call, std::size_t values, const Shape& shape) {
  if (values == static_cast<std::size_t>(shape.elements())) return;
  throw InvalidArgument(fmt::format("{}: {} values were given for shape {}, which has {} elements", call, values,
                                    shape.text(), shape.elements()));
}

void require_defined(const char* call, const Tensor& x) {
  if (x.defined()) return;
  throw InvalidArgument(fmt::format(
      "{}: the tensor is undefined (default-constructed or moved from); assign a result to it first", call));
}

// Records the copy of the elements, in row-major order and as float32, to `out` on the host, which `kept` owns;
// `ticket` is the copy's, if it is recorded.
void record_to_host(Lane& lane, const Tensor& x, float* out, Kept kept, Ticket* ticket) {
  Tensor packed;
  const Tensor* source = &x;
  if (!x.is_contiguous() || x.dtype() != Dtype::kFloat32) {
    packed = allocate_tensor(x.core(), lane, x.shape());
    Command<ElementwiseArgs> command(x.dtype() == Dtype::kFloat32 ? KernelId::kCopy : KernelId::kCast, Dtype::kFloat32,
                                     x.dtype());
    ElementwiseArgs& args = command.args;
    args.out = address_of(packed);
    args.a = address_of(x);
    args.b = nullptr;
    args.rank = x.shape().rank();
    for (std::size_t dim = 0; dim < x.shape().rank(); ++dim) {
      args.dims[dim] = {x.shape()[dim], packed.strides()[dim], x.strides()[dim], 0};
    }
    lane.record(command, operand_of(packed), operand_of(x), OperandMemory());
    source = &packed;
  }
  const auto bytes = static_cast<std::size_t>(x.elements()) * sizeof(float);
  lane.order_after(operand_of(*source));
  *ticket = lane.next_ticket();  // before: record() may throw after it has recorded the command
  lane.record(Command<CopyBytesArgs>(KernelId::kCopyBytes, {out, address_of(*source), bytes}), std::move(kept),
              OperandMemory(), operand_of(*source));
}

}  // namespace

Tensor::Tensor(Core& core, Buffer buffer, const Shape& shape, Dtype dtype) noexcept
    : view_{shape, contiguous_strides(shape), 0, dtype}, core_(&core), buffer_(std::move(buffer)) {}

Tensor allocate_tensor(Core& core, Lane& lane, const Shape& shape, Dtype dtype) {
  const auto bytes = static_cast<std::size_t>(shape.elements()) * size_of(dtype);
  return TensorAccess::make(core, Buffer(core.memory().allocate(lane, bytes)), shape, dtype);
}

Tensor view_of(const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset) {
  sync::require_not_forked();
  Tensor result(x);
  TensorAccess::set_view(result, shape, strides, offset);
  return result;
}

Tensor Tensor::empty(Core& core, const Shape& shape, Dtype dtype) {
  Recording recording(core.pool());
  return allocate_tensor(core, recording.lane(), shape, dtype);
}

Tensor Tensor::from_host(Core& core, std::span<const float> values, const Shape& shape) {
  require_count("from_host", values.size(), shape);
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor result = allocate_tensor(core, lane, shape);
  if (values.empty()) return result;
  lane.record_upload(address_of(result), std::as_bytes(values), operand_of(result));
  return result;
}

Tensor Tensor::from_host_async(Core& core, std::vector<float>&& values, const Shape& shape) {
  require_count("from_host_async", values.size(), shape);
  Recording recording(core.pool());
  Lane& lane = recording.lane();
  Tensor result = allocate_tensor(core, lane, shape);
  if (values.empty()) return result;
  const auto kept = std::make_shared<const std::vector<float>>(std::move(values));
  const std::size_t bytes = kept->size() * sizeof(float);
  lane.record_upload(address_of(result), {kept, reinterpret_cast<const std::byte*>(kept->data())}, bytes,
                     operand_of(result));
  return result;
}

Tensor Tensor::from_external(Core& core, void* data, const Shape& shape, const Event& ready,
                             std::function<void()> deleter) {
  sync::require_not_forked();
  if (data == nullptr || reinterpret_cast<std::uintptr_t>(data) % alignof(float) != 0) {
    throw InvalidArgument(fmt::format("from_external: the pointer is {}; it must be aligned to {} bytes and not null",
                                      data, alignof(float)));
  }
  if (EventAccess::lane(ready) != nullptr && EventAccess::pool(ready) != core.pool()) {
    throw InvalidArgument("from_external: the event belongs to another runtime; wait for it first (Event::wait)");
  }
  const auto bytes = static_cast<std::size_t>(shape.elements()) * size_of(Dtype::kFloat32);
  // Nothing is recorded. But a runtime that closes waits for whoever is inside, so that its last block is its last.
  const Recording recording(core.pool());
  if (EventAccess::lane(ready) == nullptr) {
    return {core, Buffer(core.memory().adopt(data, bytes, std::move(deleter))), shape, Dtype::kFloat32};
  }
  // The stream of `ready` may still write the memory: a use, which the deleter waits for. Noting it may throw, and the
  // deleter is not called then.
  const auto held = std::make_shared<std::function<void()>>();
  const auto run = [held] {
    if (*held) (*held)();
  };
  Tensor result(core, Buffer(core.memory().adopt(data, bytes, run)), shape, Dtype::kFloat32);
  residency_of(result).note_use(EventAccess::lane(ready), ready.ticket());
  residency_of(result).note_write(EventAccess::lane(ready), ready.ticket());
  *held = std::move(deleter);
  return result;
}

void* Tensor::data() const {
  sync::require_not_forked();
  require_defined("data", *this);
  return address_of(*this);
}

void Tensor::make_shared_constant() const {
  sync::require_not_forked();
  require_defined("make_shared_constant", *this);
  {
    Recording recording(core_->pool());
    recording.lane().order_after(operand_of(*this));
    recording.lane().synchronize();
    const StreamUse write = residency_of(*this).last_write();
    if (write.lane != nullptr) {
      write.lane->wait(write.ticket, sync::Deadline::never());
      write.lane->queue().failures().status_of(write.ticket).raise();
    }
  }
  DeviceMemory::make_shared_constant(buffer_.block());
}

HostCopy Tensor::to_host_async() const {
  require_defined("to_host_async", *this);
  const auto count = static_cast<std::size_t>(elements());
  const std::shared_ptr<std::byte> buffer = core_->device().allocate_host(count * sizeof(float));
  Recording recording(core_->pool());
  Lane& lane = recording.lane();
  auto* const values = reinterpret_cast<float*>(buffer.get());
  if (count != 0) {
    Ticket ticket;
    record_to_host(lane, *this, values, {buffer}, &ticket);
  }
  return {record_event(core_->pool(), lane), std::shared_ptr<const float>(buffer, values), count};
}

std::vector<float> Tensor::to_host() const {
  require_defined("to_host", *this);
  const auto count = static_cast<std::size_t>(elements());
  if (count == 0) return {};
  sync::require_not_forked();
  sync::NoWaiting::refuse("to_host()");  // before a command is recorded that writes to memory of this call
  // What the copy writes to, in a list of one, which can be kept without host memory where that runs out later. Where
  // the device has memory of its own, the host is reached through memory that it copies to at full speed.
  std::list<std::shared_ptr<void>> written(1);
  const auto values = std::make_shared<std::vector<float>>(count);
  std::shared_ptr<std::byte> staged;
  if (core_->device().info().host_accessible) {
    written.front() = values;
  } else {
    staged = core_->device().allocate_host(count * sizeof(float));
    written.front() = staged;
  }
  auto* const to = staged != nullptr ? reinterpret_cast<float*>(staged.get()) : values->data();
  Recording recording(core_->pool());
  Lane& lane = recording.lane();
  Ticket ticket;
  try {
    record_to_host(lane, *this, to, {}, &ticket);
    lane.synchronize();
  } catch (...) {
    // The copy may still come, if it was recorded; not into a forked child.
    if (lane.completed() < std::min(ticket, lane.issued()) && !sync::in_forked_child()) core_->keep(std::move(written));
    throw;
  }
  if (staged != nullptr) values->assign(to, to + count);
  return std::move(*values);
}

float Tensor::item() const {
  require_defined("item", *this);
  if (elements() != 1) {
    throw InvalidArgument(
        fmt::format("item: the tensor has shape {}; it must have exactly one element", shape().text()));
  }
  sync::require_not_forked();
  const StreamUse write = residency_of(*this).last_write();
  if (dtype() == Dtype::kFloat32 && write.ticket.value != 0 && write.lane->completed() >= write.ticket) {
    write.lane->queue().failures().status_of(write.ticket).raise();
    float value = 0;
    core_->device().read_memory(&value, address_of(*this), sizeof(value)).raise();
    return value;
  }
  return to_host().front();
}

}  // namespace HEDDLE_NS
