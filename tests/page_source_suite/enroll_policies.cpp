// The policies in the page source suite: each alone, and all of them over each other.
#include "memory/page_policies.hpp"
#include "page_source_suite/suite.hpp"

namespace heddle::suite {
namespace {

struct Limited {
  explicit Limited(PageSource& below) : pages(below, budget) {}
  Budget budget{kSmall / 2};
  LimitedPages pages;
};

struct All {
  explicit All(PageSource& below)
      : faulty(below), delayed(faulty, std::chrono::microseconds(1)), counted(delayed), limited(counted) {}
  FaultyPages faulty;
  DelayedPages delayed;
  CountedPages counted;
  Limited limited;
};

template <class Owner>
std::shared_ptr<PageSource> part_of(std::shared_ptr<Owner> owner, PageSource& part) {
  return {std::move(owner), &part};
}

const Enrollment kPolicies[] = {
    {.name = "limited",
     .stack =
         [](PageSource& below) {
           auto owner = std::make_shared<Limited>(below);
           return part_of(owner, owner->pages);
         }},
    {.name = "counted", .stack = [](PageSource& below) { return std::make_shared<CountedPages>(below); }},
    {.name = "faulty", .stack = [](PageSource& below) { return std::make_shared<FaultyPages>(below); }},
    {.name = "delayed",
     .stack = [](PageSource& below) { return std::make_shared<DelayedPages>(below, std::chrono::microseconds(1)); }},
    {.name = "all", .stack = [](PageSource& below) {
       auto owner = std::make_shared<All>(below);
       return part_of(owner, owner->limited.pages);
     }}};

INSTANTIATE_TEST_SUITE_P(policy, PageSourceSuite, testing::ValuesIn(kPolicies), name_of_enrollment);

}  // namespace
}  // namespace heddle::suite
