// Durations, seconds, counts, byte sizes and words typed by people.
#include "cli/terminal/option_values.hpp"

#include "fuzz/fuzz.hpp"
#include "heddle/base/environment.hpp"
#include "heddle/error.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using heddle::InvalidArgument;
  const std::string_view text = fuzz::text_of(bytes, size);
  double seconds = 0;
  if (fuzz::accepts<InvalidArgument>([&] { seconds = heddle::cli::parse_seconds("--seconds", text, 0.001, 86'400); })) {
    fuzz::expect(seconds >= 0.001 && seconds <= 86'400, "seconds out of range");  // no NaN
  }
  if (fuzz::accepts<InvalidArgument>([&] { seconds = heddle::cli::parse_duration("--budget", text, 1, 86'400); })) {
    fuzz::expect(seconds >= 1 && seconds <= 86'400, "a duration out of range");
    const double again = heddle::cli::parse_duration("--budget", heddle::cli::duration_text(seconds), 0, 1e6);
    fuzz::expect(again >= seconds - 1 && again <= seconds + 1, "a duration changes");
  }
  std::uint64_t value = 0;
  if (fuzz::accepts<InvalidArgument>([&] { value = heddle::parse_count("--threads", text, 1, 1024); })) {
    fuzz::expect(value >= 1 && value <= 1024, "a count out of range");
  }
  if (fuzz::accepts<InvalidArgument>([&] { value = heddle::parse_bytes("--memory-limit", text); })) {
    fuzz::expect(value >= 1, "no bytes");
    fuzz::expect(heddle::parse_bytes("--memory-limit", std::to_string(value)) == value, "a byte size changes");
  }
  fuzz::accepts<InvalidArgument>([&] { heddle::cli::parse_word<int>("--check", text, {{"off", 0}, {"full", 1}}); });
  return 0;
}
