// Actor: one thread of a random program. Each step is one action, chosen by the step's dice. The actor knows the
// possible answers of every call, and reports wrong ones to the world.
//
// Thread safety: an object is used by one thread at a time; it may continue in another thread (begin_life, end_life).
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "random/custom_op.hpp"
#include "random/world.hpp"

namespace heddle::programs {

class Actor {
 public:
  Actor(World& world, int index);

  void step(int number);
  // Its lists may be committed by calls that it does not observe.
  void all_unsure();
  // It continues in another thread: all_unsure(), then after the first one has exited, and at the start of the second.
  void end_life();
  void begin_life();
  // At the end: its objects are dropped here, or handed on.
  void leave();

 private:
  // Its objects in one runtime.
  struct Side {
    std::unique_ptr<StreamModel> own = std::make_unique<StreamModel>();  // for recording without a lease
    std::vector<HeldLease> leases;                                       // attached, the newest last
    std::vector<Item> slots;
    std::vector<Parcel> kept;  // pending copies, and events
  };

  const Plan& plan() const { return world_.plan(); }
  Side& side() { return sides_[now_]; }
  Runtime& runtime() { return world_.runtime(now_); }
  StreamModel& stream() { return side().leases.empty() ? *side().own : *side().leases.back().stream; }
  // The possible errors of an event, a copy or a handler at the stream's last command. If streams are scarce, a thread
  // without a lease may have got a stream whose last command was another thread's.
  std::uint64_t errors_here() { return plan().scarce && side().leases.empty() ? ~std::uint64_t{0} : stream().errors(); }
  void wrong(const std::string& what);

  void act(Dice& dice);
  void after_the_end(Dice& dice);
  void judge(const Error& error);
  void collect();

  // --- operands ---
  Item& slot(Dice& dice);
  Item fresh(Dice& dice, const Shape& shape, Dtype dtype = Dtype::kFloat32);
  void touch(const Item& item);  // the next call reads it, or throws its error
  Item record(Value&& value, bool sim_computes, std::initializer_list<const Item*> operands,
              const std::function<Tensor()>& call);
  Item partner(Dice& dice, const Item& of, bool divisor);
  Shape shape(Dice& dice) { return plan().shapes[dice.below(plan().shapes.size())]; }

  // --- actions ---
  void compute(Dice& dice);
  std::optional<Item> elementwise(Dice& dice, const Item& a, const Item& b);
  std::optional<Item> unary(Dice& dice, const Item& a);
  std::optional<Item> product(Dice& dice, const Item& a, const Item& b);
  std::optional<Item> linear_layer(Dice& dice, const Item& x);
  std::optional<Item> reduction(Dice& dice, const Item& a);
  std::optional<Item> stacked(Dice& dice, const Item& a, const Item& b);
  void make_view(Dice& dice);
  void read(Dice& dice);
  void copy_to_host(Dice& dice);
  void look_at_kept(Dice& dice);
  void check_parcel(Parcel& parcel, bool waits);
  void hand_out(Dice& dice);
  void take_in(Dice& dice);
  void use_events(Dice& dice);
  void register_handler(Dice& dice);
  void custom_operation(Dice& dice);
  void fail_and_collect(Dice& dice);
  void move_leases(Dice& dice);
  void end_lists(Dice& dice);
  void misuse(Dice& dice);
  void look_around(Dice& dice);
  void special_tensors(Dice& dice);
  void draw_twice(Dice& dice);
  void shut_down(Dice& dice);

  World& world_;
  const int index_;
  std::vector<Side> sides_;
  std::size_t now_ = 0;  // the runtime of this step
  int step_ = 0;
  // The possible answers to the current step.
  std::vector<ListRef> touched_;
  std::uint64_t errors_ = 0;
  bool uncommitted_ = false;
  bool refusable_ = false;
  int out_of_memory_ = 0;
};

// Registers a handler on the calling thread's stream, or on the lease's.
struct Registration {
  World& world;
  std::size_t runtime;
  Lease* lease;                             // null: the calling thread's stream
  std::shared_ptr<StreamModel::Told> told;  // null: that stream is not known for certain
  std::uint64_t order;
  std::uint64_t errors;
  TaskLoop* loop;  // the calling thread's loop; null: it has none
  int depth;
};
void add_handler(const Registration& registration, Dice& dice, std::shared_ptr<Parcel> payload);

}  // namespace heddle::programs
