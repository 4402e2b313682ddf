#include "heddle_check/minimise/course.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "heddle_check/core/execution.hpp"

namespace heddle_check {
namespace {

std::string describe(const Execution& execution, const Operation& operation) {
  std::string_view file = operation.site.file_name();
  file = file.substr(file.rfind('/') + 1);
  const std::string object = execution.objects().label(operation.object);
  return fmt::format("{}{}{} ({}:{})", name_of(operation.kind), object.empty() ? "" : " ", object, file,
                     operation.site.line());
}

std::string describe(const Choice& choice, std::uint32_t answer) {
  const Execution& execution = *Execution::current();
  const Operation* next = choice.view.next;
  const std::string& who = execution.thread(choice.running).name;
  if (choice.kind == ChoiceKind::kThread) {
    const ThreadId other = choice.threads[answer];
    return fmt::format("{} is preempted before {}; {} continues with {}", who,
                       describe(execution, next[choice.running]), execution.thread(other).name,
                       describe(execution, next[other]));
  }
  return fmt::format("{} at {}: {}, answer {} of {}", who, describe(execution, next[choice.running]),
                     name_of(choice.kind), answer, choice.options);
}

}  // namespace

std::uint32_t Course::preemptions() const noexcept {
  return static_cast<std::uint32_t>(
      std::count_if(deviations.begin(), deviations.end(), [](const Deviation& d) { return d.preempts(); }));
}

void Moments::begin() {
  operations_.fill(0);
  last_ = {kNoThread, 0, ChoiceKind::kThread, 0};
}

Moment Moments::next(const Choice& choice) {
  const Moment asked{choice.running, operations_[choice.running], choice.kind, 0};
  const bool again = asked.thread == last_.thread && asked.operations == last_.operations && asked.kind == last_.kind;
  const std::uint32_t nth = again ? last_.nth + 1 : 0;
  last_ = asked;
  last_.nth = nth;
  return last_;
}

bool Recording::begin() {
  moments_.begin();
  course_ = {};
  return inner_.begin();
}

std::uint32_t Recording::choose(const Choice& choice) {
  const std::uint32_t answer = inner_.choose(choice);
  const Moment at = moments_.next(choice);
  const bool of_threads = choice.kind == ChoiceKind::kThread;
  if (answer == 0 || answer >= choice.options || (of_threads && !choice.may_stay)) return answer;
  course_.deviations.push_back({at, of_threads ? choice.threads[answer] : answer, describe(choice, answer)});
  return answer;
}

void Recording::observe(ThreadId thread, const View& view) {
  moments_.performed(thread);
  course_.performers.push_back(thread);
  if (inner_.observes()) inner_.observe(thread, view);
}

Guide::Guide(const std::vector<Deviation>& deviations, const std::vector<ThreadId>& performers) {
  for (const Deviation& deviation : deviations) answers_[deviation.at] = deviation.answer;
  for (std::uint32_t place = 0; place < performers.size(); ++place) places_[performers[place]].push_back(place);
}

bool Guide::begin() {
  moments_.begin();
  return true;
}

std::uint32_t Guide::choose(const Choice& choice) {
  const auto known = answers_.find(moments_.next(choice));
  if (choice.kind != ChoiceKind::kThread) {
    return known != answers_.end() && known->second < choice.options ? known->second : 0;
  }
  if (!choice.may_stay) return first_in_original(choice);
  if (known == answers_.end()) return 0;
  const ThreadId* end = choice.threads + choice.options;
  const ThreadId* option = std::find(choice.threads, end, known->second);
  return option == end ? 0 : static_cast<std::uint32_t>(option - choice.threads);
}

std::uint32_t Guide::first_in_original(const Choice& choice) const {
  std::uint32_t best = 0;
  std::uint32_t first = 0xFFFFFFFF;
  for (std::uint32_t i = 0; i < choice.options; ++i) {
    const std::vector<std::uint32_t>& places = places_[choice.threads[i]];
    const std::uint32_t performed = moments_.operations(choice.threads[i]);
    if (performed < places.size() && places[performed] < first) {
      first = places[performed];
      best = i;
    }
  }
  return best;
}

}  // namespace heddle_check
