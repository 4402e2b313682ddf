// Surw: selectively uniform random walk (H. Zhao et al., ASPLOS 2025).
//
// Some operations are interesting: those on objects that at least two threads use. Their interleavings are sampled
// approximately uniformly: the thread of the next interesting operation is drawn with the remaining interesting
// operations of each thread as weights, and no other thread performs an interesting one before it. A uniform walk
// schedules all other operations in between. Threads that do not exist yet have weights like all others. If the drawn
// thread cannot reach its operation, because all others are about to perform interesting ones, another is drawn among
// these.
//
// Works in campaigns. Each begins with a profile: executions of a uniform walk, which count. Then it draws the
// interesting groups: all groups of shared objects in the first campaign and in every second one, otherwise some of
// them. Other questions are answered uniformly.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heddle_check/strategies/drawing.hpp"
#include "heddle_check/strategies/profile.hpp"

namespace heddle_check {

class Surw final : public Drawing {
 public:
  static constexpr std::uint64_t kProfileExecutions = 8;
  static constexpr std::uint64_t kCampaignExecutions = 1000;

  explicit Surw(std::uint64_t seed) : Surw(draws_of(seed), kCampaignExecutions) {}
  // `campaign`: executions per campaign, including the profile's; above kProfileExecutions.
  Surw(std::unique_ptr<Draws> draws, std::uint64_t campaign) : Drawing(std::move(draws)), campaign_(campaign) {}

  std::string name() const override { return "surw"; }
  bool begin() override;
  void observe(ThreadId thread, const View& view) override;
  void end(const Outcome& outcome) override;
  std::string summary() const override;

 private:
  std::uint32_t choose_thread(const Choice& choice) override;
  void draw_interesting();
  // True if the thread's pending operation is interesting.
  bool interesting(ThreadId thread, const View& view);
  // The thread's remaining interesting operations; at least 1 if it is about to perform one more than were counted.
  std::uint32_t weight(ThreadId thread, const View& view);
  // Draws by weight among the threads of the mask; kNoThread if all weights are 0.
  ThreadId draw_intended(ThreadMask among, const View& view);

  const std::uint64_t campaign_;
  std::uint64_t executions_ = 0;
  Profile profile_;
  std::vector<Profile::Group> interesting_;          // sorted
  std::array<std::uint32_t, kMaxThreads> counts_{};  // interesting operations per execution
  // Of the running execution:
  bool profiling_ = true;
  std::array<std::uint32_t, kMaxThreads> left_{};
  ThreadId intended_ = kNoThread;
  enum class Pending : std::uint8_t { kUnknown, kInteresting, kOther };
  std::array<Pending, kMaxThreads> pending_{};
};

}  // namespace heddle_check
