#include "heddle/sync/thread_exit.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <string>
#include <thread>

#include "heddle/sync/thread_local.hpp"

namespace heddle::sync {
namespace {

std::string ended;  // written by threads that were joined

template <char kName>
struct Noted {
  Noted() noexcept = default;
  Noted(const Noted&) = delete;
  Noted& operator=(const Noted&) = delete;
  ~Noted() { ended += kName; }
  int uses = 0;
};
struct Tag;
template <char kName>
Noted<kName>& noted() {
  return ThreadLocal<Noted<kName>, Tag>::get();
}

struct EndsWithTheCompilers {
  ~EndsWithTheCompilers() {
    ended += 'c';
    ++noted<'a'>().uses;
  }
};

TEST(ThreadExit, ObjectsEndInReverseOrderAfterTheProgramsOwn) {
  ended.clear();
  std::thread([] {
    ++noted<'a'>().uses;
    static thread_local EndsWithTheCompilers own;
    static_cast<void>(own);
    ++noted<'b'>().uses;
    EXPECT_EQ(++noted<'a'>().uses, 2);
  }).join();
  EXPECT_EQ(ended, "cba");
}

TEST(ThreadExit, EachThreadHasItsOwn) {
  ended.clear();
  std::thread([] {
    noted<'a'>().uses = 7;
    std::thread([] { EXPECT_EQ(noted<'a'>().uses, 0); }).join();
    EXPECT_EQ(ended, "a");
    EXPECT_EQ(noted<'a'>().uses, 7);
  }).join();
  EXPECT_EQ(ended, "aa");
}

// Runs in the destructor of a key that is younger than the library's, and so after it.
TEST(ThreadExit, WhatIsUsedAgainAfterItsEndEndsAgain) {
  ended.clear();
  ++noted<'m'>().uses;  // creates the library's key; this thread does not end in this test
  pthread_key_t key{};
  ASSERT_EQ(pthread_key_create(&key, [](void*) { EXPECT_EQ(++noted<'a'>().uses, 1); }), 0);
  std::thread([&] {
    int anything = 0;
    ASSERT_EQ(pthread_setspecific(key, &anything), 0);
    ++noted<'a'>().uses;
  }).join();
  EXPECT_EQ(ended, "aa");
  EXPECT_EQ(pthread_key_delete(key), 0);
}

struct UsesAnotherAtItsEnd {
  UsesAnotherAtItsEnd() noexcept = default;
  UsesAnotherAtItsEnd(const UsesAnotherAtItsEnd&) = delete;
  UsesAnotherAtItsEnd& operator=(const UsesAnotherAtItsEnd&) = delete;
  ~UsesAnotherAtItsEnd() { ++noted<'a'>().uses; }
  int uses = 0;
};

TEST(ThreadExit, WhatADestructorIsFirstToUseEndsToo) {
  ended.clear();
  std::thread([] { ++ThreadLocal<UsesAnotherAtItsEnd, Tag>::get().uses; }).join();
  EXPECT_EQ(ended, "a");
}

}  // namespace
}  // namespace heddle::sync
