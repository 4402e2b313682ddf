#include "classics.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <utility>

#include "heddle_check/heddle_check.hpp"

namespace heddle_check::classics {
namespace {

// Operations that affect no other thread.
class Work {
 public:
  void operator()(int operations) {
    for (int i = 0; i < operations; ++i) static_cast<void>(own_.load(std::memory_order_relaxed));
  }

 private:
  Atomic<int> own_{0};
};
constexpr int kAround = 8;  // private operations around each shared one, and before each start of a thread

Scenario named(std::string name, std::function<void()> body) {
  Scenario made;
  made.name = std::move(name);
  made.group = "classics";
  made.body = std::move(body);
  made.limits.races = false;  // the values are the bug here
  return made;
}

using Bodies = std::vector<std::function<void(Work&)>>;

// Starts the threads one after another, with work in between, and waits for all.
void start_and_join(const Bodies& bodies) {
  Work main;
  std::vector<Thread> threads;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    main(kAround);
    threads.emplace_back(fmt::format("t{}", i), [&body = bodies[i]] {
      Work work;
      work(kAround);
      body(work);
    });
  }
  for (Thread& thread : threads) thread.join();
}

void locked(Mutex& mutex, const std::function<void()>& section) {
  mutex.lock();
  section();
  mutex.unlock();
}

}  // namespace

// A withdrawal and a deposit each read and write under the lock, but not in one critical section.
Scenario account() {
  return named("account", [] {
    Mutex mutex;
    Atomic<int> balance{10};
    const auto change = [&](int by) {
      return [&, by](Work& work) {
        int read = 0;
        locked(mutex, [&] { read = balance.load(); });
        work(kAround);
        locked(mutex, [&] { balance.store(read + by); });
      };
    };
    start_and_join({change(5), change(-3)});
    require(balance.load() == 12, "both changes count");
  });
}

Scenario deadlock01() {
  return named("deadlock01", [] {
    Mutex a, b;
    const auto both = [](Mutex& first, Mutex& second) {
      return [&](Work& work) {
        first.lock();
        work(kAround);
        second.lock();
        second.unlock();
        first.unlock();
      };
    };
    start_and_join({both(a, b), both(b, a)});
  });
}

Scenario lazy01() {
  return named("lazy01", [] {
    Mutex mutex;
    Atomic<int> data{0};
    const auto add = [&](int by) { return [&, by](Work&) { locked(mutex, [&] { data.fetch_add(by); }); }; };
    start_and_join(
        {add(1), add(2), [&](Work&) { locked(mutex, [&] { require(data.load() < 3, "not both came first"); }); }});
  });
}

// One value is set in two stages, each under the lock; a reader may come between the stages.
Scenario twostage(int pairs) {
  return named(fmt::format("twostage_{}", pairs), [pairs] {
    Mutex first, second;
    Atomic<int> data1{0}, data2{0};
    Bodies bodies;
    for (int i = 0; i < pairs; ++i) {
      bodies.emplace_back([&](Work& work) {
        locked(first, [&] { data1.store(1); });
        work(kAround);
        locked(second, [&] { data2.store(data1.load() + 1); });
      });
    }
    bodies.emplace_back([&](Work& work) {
      int read1 = 0, read2 = 0;
      locked(first, [&] { read1 = data1.load(); });
      if (read1 == 0) return;
      work(kAround);
      locked(second, [&] { read2 = data2.load(); });
      require(read2 == read1 + 1, "the second stage follows the first");
    });
    start_and_join(bodies);
  });
}

Scenario reorder(int threads) {
  return named(fmt::format("reorder_{}", threads), [threads] {
    Atomic<int> a{0}, b{0};
    Bodies bodies;
    for (int i = 0; i + 1 < threads; ++i) {
      bodies.emplace_back([&](Work& work) {
        a.store(1);
        work(kAround);
        b.store(-1);
      });
    }
    bodies.emplace_back([&](Work& work) {
      const int read_a = a.load();
      work(kAround);
      const int read_b = b.load();
      require((read_a == 0 && read_b == 0) || (read_a == 1 && read_b == -1), "both are set or none is");
    });
    start_and_join(bodies);
  });
}

// One thread takes a different lock.
Scenario wronglock() {
  return named("wronglock", [] {
    Mutex right, wrong;
    Atomic<int> data{0};
    const auto add_under = [&](Mutex& mutex) {
      return [&](Work& work) {
        locked(mutex, [&] {
          const int read = data.load();
          work(kAround);
          data.store(read + 1);
        });
      };
    };
    start_and_join({add_under(wrong), add_under(right), add_under(right), add_under(right)});
    require(data.load() == 4, "no update is lost");
  });
}

// Appends from a buffer: its length is read under its lock, and its characters are copied under the lock later.
Scenario stringbuffer() {
  return named("stringbuffer", [] {
    Mutex mutex;
    Atomic<int> length{3};
    start_and_join({[&](Work& work) {
                      int asked = 0;
                      locked(mutex, [&] { asked = length.load(); });
                      work(kAround);
                      locked(mutex, [&] { require(asked <= length.load(), "the copied characters exist"); });
                    },
                    [&](Work& work) {
                      locked(mutex, [&] { length.store(0); });
                      work(kAround);
                      locked(mutex, [&] { length.store(5); });
                    }});
  });
}

// A driver is stopped while a request is between its check of the flag and its increment of the count.
Scenario bluetooth() {
  return named("bluetooth", [] {
    Atomic<int> pending{1};
    Atomic<bool> stopping{false}, stopped{false};
    const auto leave = [&] {
      if (pending.fetch_sub(1) == 1) stopped.store(true);
    };
    start_and_join({[&](Work& work) {
                      if (stopping.load()) return;
                      work(kAround);
                      pending.fetch_add(1);
                      work(kAround);
                      require(!stopped.load(), "no request runs on a stopped driver");
                      leave();
                    },
                    [&](Work& work) {
                      stopping.store(true);
                      work(kAround);
                      leave();
                    }});
  });
}

// `if` instead of `while`: the item that woke a consumer is gone when it has the lock again.
Scenario buffer_with_if() {
  return named("buffer_with_if", [] {
    Mutex mutex;
    ConditionVariable filled;
    int items = 0;
    const auto consume = [&](Work& work) {
      mutex.lock();
      if (items == 0) filled.wait(mutex);
      require(items > 0, "a consumer finds an item");
      --items;
      mutex.unlock();
      work(kAround);
    };
    start_and_join({consume, consume, [&](Work& work) {
                      for (int i = 0; i < 2; ++i) {
                        locked(mutex, [&] { ++items; });
                        filled.notify_one();
                        work(kAround);
                      }
                    }});
  });
}

// The owner takes the last element without competing for it.
Scenario work_stealing() {
  return named("work_stealing", [] {
    Atomic<int> head{0}, tail{0};
    std::array<int, 2> taken{};
    start_and_join({[&](Work& work) {
                      for (int i = 0; i < 2; ++i) {
                        work(kAround);
                        tail.store(i + 1);
                      }
                      work(kAround);
                      for (int i = 0; i < 2; ++i) {
                        const int last = tail.load() - 1;
                        tail.store(last);
                        work(kAround);
                        if (head.load() > last) {
                          tail.store(last + 1);
                          return;
                        }
                        work(kAround);
                        ++taken[static_cast<std::size_t>(last)];
                      }
                    },
                    [&](Work& work) {
                      int first = head.load();
                      work(kAround);
                      if (first >= tail.load()) return;
                      work(kAround);
                      if (head.compare_exchange_strong(first, first + 1)) ++taken[static_cast<std::size_t>(first)];
                    }});
    require(taken[0] <= 1 && taken[1] <= 1, "no element is taken twice");
  });
}

// Found by D. Vyukov: three threads, and at least five switches in the right places.
Scenario safe_stack() {
  return named("safe_stack", [] {
    constexpr int kItems = 3;
    Atomic<int> head{0}, count{kItems};
    std::array<Atomic<int>, kItems> next, value;
    for (int i = 0; i < kItems; ++i) next[static_cast<std::size_t>(i)].store(i + 1 < kItems ? i + 1 : -1);
    const auto pop = [&]() -> int {
      while (count.load() > 1) {
        int first = head.load();
        Atomic<int>& link = next[static_cast<std::size_t>(first)];
        const int second = link.exchange(-1);
        if (second >= 0) {
          int expected = first;
          if (head.compare_exchange_strong(expected, second)) {
            count.fetch_sub(1);
            return first;
          }
          link.exchange(second);
        }
        yield();
      }
      return -1;
    };
    const auto push = [&](int item) {
      int first = head.load();
      do {
        next[static_cast<std::size_t>(item)].store(first);
      } while (!head.compare_exchange_strong(first, item));
      count.fetch_add(1);
    };
    std::vector<Thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back(fmt::format("t{}", t), [&, t] {
        for (int round = 0; round < 2; ++round) {
          int item = pop();
          for (; item < 0; item = pop()) yield();
          Atomic<int>& mine = value[static_cast<std::size_t>(item)];
          mine.store(t);
          require(mine.load() == t, "an item has one owner");
          push(item);
        }
      });
    }
    for (Thread& thread : threads) thread.join();
  });
}

std::vector<Scenario> all() {
  return {account(),   deadlock01(), lazy01(),       twostage(1), twostage(20),     reorder(3),     reorder(5),
          reorder(10), wronglock(),  stringbuffer(), bluetooth(), buffer_with_if(), work_stealing()};
}

}  // namespace heddle_check::classics
