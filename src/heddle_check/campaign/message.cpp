#include <cstring>
#include <stdexcept>

#include "heddle_check/campaign/shard.hpp"

namespace heddle_check {
namespace {

class Writer {
 public:
  void operator()(const std::uint64_t& value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof(value)); }
  void operator()(const double& value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof(value)); }
  void operator()(const std::string& text) {
    (*this)(static_cast<std::uint64_t>(text.size()));
    bytes += text;
  }
  std::string bytes;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  void operator()(std::uint64_t& value) { std::memcpy(&value, take(sizeof(value)).data(), sizeof(value)); }
  void operator()(double& value) { std::memcpy(&value, take(sizeof(value)).data(), sizeof(value)); }
  void operator()(std::string& text) {
    std::uint64_t size = 0;
    (*this)(size);
    text = take(size);
  }
  bool empty() const noexcept { return rest_.empty(); }

 private:
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) throw std::invalid_argument("the results of a shard are truncated");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
};

// A number or a list of small numbers, in the type that both sides share.
template <class Visitor, class Number>
void number(Visitor& visit, Number& value) {
  std::uint64_t wide = static_cast<std::uint64_t>(value);
  visit(wide);
  value = static_cast<Number>(wide);
}

template <class Visitor>
void visit_all(Visitor& visit, Result& result) {
  number(visit, result.executions);
  number(visit, result.redundant);
  number(visit, result.replayed);
  number(visit, result.points);
  number(visit, result.depth_max);
  number(visit, result.threads_max);
  number(visit, result.exhausted);
  number(visit, result.bound);
  visit(result.confidence);
  visit(result.summary);
  visit(result.seconds);
  number(visit, result.failure.kind);
  visit(result.failure.text);
  visit(result.failure.details);
  std::string decisions(result.decisions.begin(), result.decisions.end());
  visit(decisions);
  result.decisions.assign(decisions.begin(), decisions.end());
  number(visit, result.trace_hash);
  visit(result.trace);
}

}  // namespace

std::string encode_results(const std::vector<StrategyResult>& results) {
  Writer writer;
  writer(static_cast<std::uint64_t>(results.size()));
  for (const StrategyResult& part : results) {
    Result result = part.result;
    visit_all(writer, result);
  }
  return writer.bytes;
}

std::vector<Result> decode_results(std::string_view bytes) {
  Reader reader(bytes);
  std::uint64_t count = 0;
  reader(count);
  std::vector<Result> results;
  for (std::uint64_t i = 0; i < count; ++i) {
    Result result;
    visit_all(reader, result);
    results.push_back(std::move(result));
  }
  if (!reader.empty()) throw std::invalid_argument("the results of a shard are too long");
  return results;
}

}  // namespace heddle_check
