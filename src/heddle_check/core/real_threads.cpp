// Carriers on real threads that pass the turn along, one at a time. Threads are kept between executions.
#include <array>
#include <semaphore>
#include <thread>
#include <utility>

#include "heddle_check/core/carriers.hpp"

namespace heddle_check {
namespace {

class RealThreads final : public Carriers {
 public:
  RealThreads() { parties_[kRoot] = std::make_unique<Party>(); }
  ~RealThreads() override {
    for (std::unique_ptr<Party>& party : parties_) {
      if (party == nullptr) continue;
      if (party->inside) {
        abandon(party);
        continue;
      }
      if (!party->thread.joinable()) continue;
      party->stop = true;
      party->turn.release();
      party->thread.join();
    }
  }

  void prepare(unsigned party, Entry entry, void* context) override {
    std::unique_ptr<Party>& slot = parties_[party];
    if (slot != nullptr && slot->inside) abandon(slot);
    if (slot == nullptr) {
      slot = std::make_unique<Party>();
      slot->number = party;
      slot->thread = std::thread([&self = *slot] { self.loop(); });
    }
    slot->entry = entry;
    slot->context = context;
    slot->inside = true;
  }

  void switch_to(unsigned from, unsigned to) override {
    Party& self = *parties_[from];
    parties_[to]->turn.release();
    self.turn.acquire();
  }

  void exit_to(unsigned from, unsigned to) override {
    parties_[from]->inside = false;
    parties_[to]->turn.release();
  }

 private:
  struct Party {
    std::binary_semaphore turn{0};
    std::thread thread;
    unsigned number = kRoot;
    Entry entry = nullptr;
    void* context = nullptr;
    bool inside = false;  // prepared, and its entry has not ended
    bool stop = false;

    void loop() {
      while (true) {
        turn.acquire();
        if (stop) return;
        entry(context, number);
      }
    }
  };

  // The thread waits for a turn that never comes, and keeps its stack.
  static void abandon(std::unique_ptr<Party>& party) {
    if (party->thread.joinable()) party->thread.detach();
    static_cast<void>(party.release());
  }

  std::array<std::unique_ptr<Party>, kMaxThreads + 1> parties_;
};

}  // namespace

std::unique_ptr<Carriers> make_real_threads() { return std::make_unique<RealThreads>(); }

}  // namespace heddle_check
