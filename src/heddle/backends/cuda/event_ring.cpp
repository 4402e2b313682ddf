#include "heddle/backends/cuda/event_ring.hpp"

#include "heddle/backends/cuda/call.hpp"
#include "heddle/backends/cuda/current_device.hpp"

namespace HEDDLE_NS::cuda {

EventRing::~EventRing() {
  const CurrentDevice current(device_);
  for (const Entry& entry : entries_) {
    if (entry.event != nullptr) release(cudaEventDestroy(entry.event));
  }
}

Status EventRing::behind(Ticket ticket, Ticket on_stream, cudaStream_t stream, cudaEvent_t* out) {
  const Entry* best = nullptr;  // the earliest one that covers the ticket
  for (const Entry& entry : entries_) {
    if (entry.covers >= ticket && (best == nullptr || entry.covers < best->covers)) best = &entry;
  }
  if (best != nullptr) {
    *out = best->event;
    return {};
  }
  Entry& entry = entries_[next_];
  if (entry.event == nullptr) {
    Status status = call("cudaEventCreateWithFlags",
                         [&] { return cudaEventCreateWithFlags(&entry.event, cudaEventDisableTiming); });
    if (!status.ok()) return status;
  }
  entry.covers = Ticket{};  // covers nothing if recording fails
  Status status = call("cudaEventRecord", [&] { return cudaEventRecord(entry.event, stream); });
  if (!status.ok()) return status;
  entry.covers = on_stream;
  next_ = (next_ + 1) % kMost;
  *out = entry.event;
  return {};
}

}  // namespace HEDDLE_NS::cuda
