// Shapes from extents, and the broadcast of two. The bytes are extents of 8 bytes; the first byte splits them.
#include "heddle/shape.hpp"

#include <cstring>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "heddle/error.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using heddle::Shape;
  if (size <= sizeof(std::int64_t)) return 0;
  std::vector<std::int64_t> extents((size - 1) / sizeof(std::int64_t));
  std::memcpy(extents.data(), bytes + 1, extents.size() * sizeof(std::int64_t));
  const std::size_t first = bytes[0] % (extents.size() + 1);
  const std::span<const std::int64_t> all(extents);
  Shape a;
  Shape b;
  const bool accepted = fuzz::accepts<heddle::InvalidArgument>([&] {
    a = Shape(all.first(first));
    b = Shape(all.subspan(first));
  });
  if (!accepted) return 0;
  fuzz::expect(a.elements() >= 0 && a.elements() < std::int64_t{1} << 48, "the number of elements is out of range");
  fuzz::expect(a.rank() == first && !a.text().empty(), "a shape's rank");
  contiguous_strides(a);
  Shape both;
  if (!fuzz::accepts<heddle::InvalidArgument>([&] { both = heddle::broadcast(a, b, "add"); })) return 0;
  fuzz::expect(both.rank() == std::max(a.rank(), b.rank()), "the rank of a broadcast");
  fuzz::expect(heddle::broadcast(b, a, "add") == both, "a broadcast depends on the order of its operands");
  return 0;
}
