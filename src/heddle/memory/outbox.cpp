#include "heddle/memory/outbox.hpp"

#include "heddle/sync/plant.hpp"

namespace HEDDLE_NS {

Outbox::Chain& Outbox::chain_for(Inbox& inbox) noexcept {
  if (chains_[latest_].inbox == &inbox) return chains_[latest_];
  std::size_t unused = kChains;
  for (std::size_t i = 0; i < kChains; ++i) {
    if (chains_[i].inbox == &inbox) return chains_[latest_ = i];
    if (chains_[i].inbox == nullptr) unused = i;
  }
  if (unused == kChains) {
    unused = (latest_ + 1) % kChains;
    post(chains_[unused]);
  }
  chains_[unused].inbox = &inbox;
  return chains_[latest_ = unused];
}

void Outbox::post(Chain& chain) noexcept {
  chain.inbox->post({chain.blocks.data(), chain.count});
  chain.inbox = nullptr;
  chain.count = 0;
  chain.bytes = 0;
}

void Outbox::add(Inbox& inbox, Block* block, std::size_t requested, std::size_t rounded) noexcept {
  if (gate_.try_enter()) {
    Chain& chain = chain_for(inbox);
    chain.blocks[chain.count++] = block;
    chain.bytes += rounded;
    if (chain.count == kMostBlocks || chain.bytes >= kMostBytes) post(chain);
    gate_.leave();
  } else {
    inbox.post({&block, 1});
  }
  // Release: a reader of one of them has seen the allocations of the blocks that it counts. Counterpart: freed().
  requested_.store(requested_.load(sync::relaxed) + requested, sync::release);
  rounded_.store(rounded_.load(sync::relaxed) + rounded, sync::release);
  blocks_.store(blocks_.load(sync::relaxed) + 1, sync::release);  // last: invariant 2
}

void Outbox::post_all() noexcept {
  for (Chain& chain : chains_) {
    if (chain.inbox != nullptr) post(chain);
  }
}

void Outbox::flush() noexcept {
  bool enters = gate_.try_enter();
  if (HEDDLE_PLANT(outbox_flushes_despite_claim)) enters = true;
  if (!enters) return;  // the claimer flushes it, or comes again
  post_all();
  gate_.leave();
}

bool Outbox::flush_from_outside() noexcept {
  bool inside = gate_.owner_inside();
  if (HEDDLE_PLANT(outbox_flushes_without_looking)) inside = false;
  if (inside) return false;
  post_all();
  return true;
}

FreedCounts Outbox::freed() const noexcept {
  FreedCounts counts;
  counts.blocks = blocks_.load(sync::acquire);
  counts.requested = requested_.load(sync::acquire);
  counts.rounded = rounded_.load(sync::acquire);
  return counts;
}

}  // namespace HEDDLE_NS
